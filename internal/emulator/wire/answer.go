package wire

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// WriteJSON answers with a status and a JSON body.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil { // no type that is answered with can fail
		http.Error(w, "encoding the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
}

// answer watches what a service writes, or keeps it back.
type answer struct {
	http.ResponseWriter

	status int
	buffer bool // keep the body in kept
	kept   []byte
}

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	if !a.buffer {
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write writes, or keeps, a part of the body.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.buffer {
		a.kept = append(a.kept, p...)
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// sendHalf sends what was kept, but only half of the body that it announces.
func (a *answer) sendHalf() {
	a.Header().Set("Content-Length", strconv.Itoa(len(a.kept)))
	a.ResponseWriter.WriteHeader(a.status)
	_, _ = a.ResponseWriter.Write(a.kept[:len(a.kept)/2])
	if flusher, ok := a.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}
