// Package charts holds the chart that ships, so that a program can install it without having the repository beside it.
package charts

import "embed"

// Secretstore is the chart in the folder secretstore, as "helm install" takes it. all: its helpers begin with an underscore.
//
//go:embed all:secretstore
var Secretstore embed.FS
