package narrator

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Main does the work of a program that tells what it does on standard output, and returns its exit code. Being interrupted ends
// the context of the work.
func Main(name string, work func(context.Context, *Narrator) error) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	show := New(os.Stdout)
	if err := work(ctx, show); err != nil {
		show.Line("%s: failed: %s", name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return 1
	}
	return 0
}
