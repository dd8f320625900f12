package wire

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// GUID makes an identifier by chance, in the form in which Azure writes them, such as of requests.
func GUID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	text := hex.EncodeToString(id)
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
