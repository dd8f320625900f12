package model

import "strings"

// Variable makes of any text what may be part of the name of a shell's variable: capitals, digits and underscores.
func Variable(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToUpper(text)), "_")
}
