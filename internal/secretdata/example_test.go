package secretdata_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// From what a vault returned to the data of a Secret: what could be had is there, what could not says why.
func ExampleBuild() {
	p := spcparams.Params{Objects: []spcparams.Object{
		{Name: "db-password", Type: spcparams.TypeSecret, History: 2},
	}}
	files := secretdata.Collect(p, map[int]secretdata.Result{
		0: {Versions: []secretdata.Fetched{{Version: "0123", Value: redact.FromString("hunter2")}}},
	})
	data, errs := secretdata.Build(corev1.SecretTypeOpaque, []secretdata.Mapping{
		{SourcePath: "db-password/0", TargetKey: "password"},
		{SourcePath: "db-password/1", TargetKey: "previous"},
	}, files)
	fmt.Println(data)
	for _, err := range errs {
		fmt.Println(err)
	}
	// Output:
	// map[password:[redacted]]
	// source path "db-password/1" to key "previous": secret "db-password" has only 1 of the 2 versions asked for in the vault, disabled ones not counted; lower objectVersionHistory, or map fewer versions
}
