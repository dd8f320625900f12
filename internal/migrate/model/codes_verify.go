package model

// verifyCodes are the findings of stage verify.
func verifyCodes() []Entry {
	return []Entry{}
}
