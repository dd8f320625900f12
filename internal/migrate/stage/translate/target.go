package translate

import (
	"regexp"
	"strings"

	"secretstore/internal/migrate/model"
)

// checkTarget says what Microsoft's extension would refuse.
func (p *planner) checkTarget(w *work) {
	if p.options.Target != model.TargetSSE {
		return
	}
	secrets := w.fileSecrets()
	for _, s := range w.syncs {
		secrets = append(secrets, s.made(s.New))
	}
	for _, s := range secrets {
		for _, i := range s.items {
			for _, field := range [][2]string{{"sourcePath", i.path}, {"targetKey", i.key}} {
				if !sseTakes(variables().ReplaceAllLiteralString(field[1], "x")) {
					p.tell(w, codeRefused, "Microsoft's extension refuses the %s %q, which the Secret %s needs.", field[0], field[1], s.name)
				}
			}
		}
	}
}

// sseTakes is the pattern of the public definition of SecretSync, for source paths and keys alike. Two special characters in a
// row do not match, nor does one after the first character.
func sseTakes(text string) bool {
	const longest = 253
	pattern := regexp.MustCompile(`^[A-Za-z0-9.]([-A-Za-z0-9]+([-._a-zA-Z0-9]?[A-Za-z0-9])*)?(/([0-9]+))*$`)
	return len(text) <= longest && !strings.HasSuffix(text, "\n") && pattern.MatchString(text)
}
