package spcparams_test

import (
	"fmt"

	"secretstore/internal/spcparams"
)

// Reading a SecretProviderClass and finding what a source path of a SecretSync means.
func ExampleParse() {
	p, err := spcparams.Parse(map[string]string{
		"clientID":     "11111111-2222-3333-4444-555555555555",
		"tenantID":     "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		"keyvaultName": "shop-vault",
		"objects": `
array:
  - |
    objectName: db-password
    objectType: secret
    objectVersionHistory: 2
`,
	})
	fmt.Println(p.Objects[0].Name, err)
	ref, err := p.Resolve("db-password/1")
	fmt.Println(ref.Object, ref.Version, err)
	_, err = p.Resolve("db-password")
	fmt.Println(err)
	// Output:
	// db-password <nil>
	// 0 1 <nil>
	// source path "db-password" is not given by the SecretProviderClass; did you mean "db-password/0"?; it gives "db-password/0", "db-password/1"
}

// Every mistake is reported at once, with its place and its cure.
func ExampleParse_mistakes() {
	_, err := spcparams.Parse(map[string]string{
		"tenantID":     "contoso.example",
		"keyvaultName": "shop-vault",
		"objects":      "array:\n  - |\n    objectName: db\n    objectType: password\n",
	})
	fmt.Println(err)
	// Output:
	// clientID is not set; set it to the client ID of the user-assigned managed identity, not its object ID
	// objects[0].objectType (line 4) "password" is not an object type; set it to secret (also for a certificate with its private key), key or cert, in lower case
}
