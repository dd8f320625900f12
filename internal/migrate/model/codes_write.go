package model

// writeCodes are the findings of writing changes into a folder.
func writeCodes() []Entry {
	return []Entry{
		{
			Code: "M701", Severity: Blocking, Title: "A manifest cannot be edited in place",
			What: "A change could not be spliced into the text of the manifest, because the text is written in a way that leaves no " +
				"room for it. The file is left as it was.",
			Why: "Nothing is rewritten that need not change, so what cannot be changed alone is not changed at all. The object " +
				"keeps the old way until then.",
			Do: "Make the change by hand (`migrate plan -o wide` shows it), or write the place in the usual block style and run " +
				"this again.",
		},
		{
			Code: "M702", Severity: Blocking, Title: "A change would reach other objects by a YAML anchor",
			What: "What is to be changed is shared by an anchor (`&name`), and is used elsewhere by `*name` or `<<: *name`. The file " +
				"is left as it was.",
			Why: "An edit there would change every place that uses the anchor, among them perhaps some that are to stay.",
			Do:  "Write the value out where it is used, instead of the alias, or change the anchor by hand for all; then run this again.",
		},
		{
			Code: "M703", Severity: Warning, Title: "A new file has to be named in your kustomization or pipeline",
			What: "A new object could not be put beside the old one in its file (a JSON file holds one document), so it is in a file " +
				"of its own.",
			Why: "Files that no kustomization or pipeline names are not applied, and the Secret is then never made.",
			Do:  "Add the file to `resources:` of the kustomization beside it, or to whatever applies this folder.",
		},
	}
}
