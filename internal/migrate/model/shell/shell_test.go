package shell_test

import (
	"os/exec"
	"strings"
	"testing"

	"secretstore/internal/migrate/model/shell"
)

// TestCommand: what is written is, to a shell, the words it was made of.
func TestCommand(t *testing.T) {
	t.Parallel()
	for name, words := range map[string][]string{
		"plain": {"az", "identity", "create", "--name=x"}, "blanks": {"a b", "", "c'd", `e"f`, "g\nh"},
		"dollars": {"$HOME", "`id`", "$(id)", `\`, "a;b", "*", "~", "#x", "!x"}, "variable": {"pre ${VALUE} $HOME `id` \\ \" ${VALUE}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "sh", "-c", `printf '[%s]' `+shell.Command(words))
			cmd.Env = []string{"VALUE=a  b*"}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			for _, word := range words {
				want += "[" + strings.ReplaceAll(word, "${VALUE}", "a  b*") + "]"
			}
			if string(out) != want {
				t.Errorf("%s: got %s, want %s", shell.Command(words), out, want)
			}
		})
	}
}
