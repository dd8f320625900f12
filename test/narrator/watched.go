package narrator

import (
	"bytes"
	"strings"
)

// Watched takes what is told, for tests, and calls Seen with each write that has Text in it.
type Watched struct {
	bytes.Buffer

	Text string
	Seen func()
}

// Write implements io.Writer.
func (w *Watched) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.Text) {
		w.Seen()
	}
	return w.Buffer.Write(p)
}
