// Package emulator stands in for Azure on a machine without it: Microsoft Entra ID, Azure Key Vault, Azure Resource Manager and a
// little of Microsoft Graph behind one HTTPS listener on loopback, told apart by the name of the host that a client asks for. A
// client reaches it by dialing its address for those names and trusting its certificate authority; nothing else about the client
// is special.
//
//	server, err := emulator.Start(ctx, emulator.Options{Seed: state.Seed{…}})
//	defer server.Close()
//	client := server.HTTPClient() // speaks to login.microsoftonline.com, my-vault.vault.azure.net, …
//
// Tests set faults with SetBehaviour and read what was asked with Requests, Counters and AwaitRequest; a process does the same
// over HTTP on the emulator's own address (see admin.go). Secrets are changed through Key Vault's own API only, as operators do.
//
// It promises to fail as Azure fails, as far as that is known, and never to answer what a real service would not. It shares no
// code with its clients and keeps nothing on disk. A host name that is not served gets no answer, as a name that does not
// resolve.
package emulator
