package act

// KeptOrder is the order up to which steps stay when a rollback goes back to a stage or a step, as Rollback takes its argument.
func KeptOrder(entries []Entry, to string) (int, error) {
	r := &run{history: Read(entries)}
	return r.kept(to)
}
