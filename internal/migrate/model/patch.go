package model

import "secretstore/internal/migrate/model/jsonpatch"

// Patch says how a kustomization comes to a piece of an object (Object.Partial).
type Patch struct {
	// Entry is where the kustomization lists it: its file and document, and Inside as `/patches/0`.
	Entry Place `json:"entry"`
	// Target is the name that the entry's target gives, a regular expression that has to fit the whole name; empty if it gives
	// none. Targeted says that there is a target at all.
	Target   string `json:"target,omitempty"`
	Targeted bool   `json:"targeted,omitempty"`
	// Base is the object that is patched, where it was found, and the Content of the piece is then the whole object as the
	// patch leaves it. Piece is what the patch itself says, of a strategic merge patch.
	Base  *Object        `json:"-"`
	Piece map[string]any `json:"-"`
	// Steps are the operations of a JSON patch in their order; a strategic merge patch has none.
	Steps []Step `json:"-"`
	// Unsure says in a sentence why it is not known what the patch makes of its base; empty if that is known.
	Unsure string `json:"unsure,omitempty"`
}

// Step is one operation of a JSON patch.
type Step struct {
	jsonpatch.Operation
	// Line is the operation's in the file, from 1.
	Line int
	// After is the object behind it.
	After map[string]any
}

// IsJSONPatch tells whether the object is what a JSON patch makes of its base.
func (o Object) IsJSONPatch() bool { return o.Patch != nil && len(o.Patch.Steps) > 0 }
