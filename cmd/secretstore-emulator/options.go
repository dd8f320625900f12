package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// options is the command line as a value.
type options struct {
	// listen is the address to listen on, which must be loopback.
	listen string
	// seedFile describes what Azure holds at the start.
	seedFile string
	// caFile is where the certificate goes that clients must trust.
	caFile string
	// addressFile is where host:port goes once the emulator listens; empty for nowhere.
	addressFile string
	// issuerCAs are files with certificates that are trusted, besides the system's, when an issuer's keys are fetched.
	issuerCAs []string
	logLevel  slog.Level
}

// parse reads the command line; what is wrong with it is said all at once.
func parse(args []string, usage io.Writer) (options, error) {
	var opts options
	var level string
	flags := pflag.NewFlagSet("secretstore-emulator", pflag.ContinueOnError)
	flags.SetOutput(usage)
	flags.SortFlags = false
	flags.StringVar(&opts.listen, "listen", "127.0.0.1:0", "loopback `HOST:PORT` to listen on; port 0 for a free one")
	flags.StringVar(&opts.seedFile, "seed", "", "YAML `FILE` of tenants, applications and vaults; required")
	flags.StringVar(&opts.caFile, "ca-file", "", "`FILE` to write the certificate into that clients must trust; required")
	flags.StringVar(&opts.addressFile, "address-file", "", "`FILE` to write host:port into once the emulator listens")
	flags.StringArrayVar(&opts.issuerCAs, "issuer-ca", nil,
		"`FILE` of certificates to trust, besides the system's, for OpenID issuers; may be given again")
	flags.StringVar(&level, "log-level", "info", "least `LEVEL` of what is logged: debug (each request), info, warn or error")
	flags.Usage = func() {
		_, _ = fmt.Fprintf(usage, "Stands in for Microsoft Entra ID and Azure Key Vault on this machine.\n\n"+
			"Usage:\n  secretstore-emulator --seed FILE --ca-file FILE [flags]\n\n"+
			"Flags:\n%s", flags.FlagUsagesWrapped(100)) //nolint:mnd // columns of a terminal
	}
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	return opts, errors.Join(
		noArguments(flags.Args()),
		required("--seed", opts.seedFile),
		required("--ca-file", opts.caFile),
		opts.parseLevel(level),
	)
}

func noArguments(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %q: everything is set by flags (see --help)", args[0])
}

func required(flag, value string) error {
	if value == "" {
		return fmt.Errorf("%s is required", flag)
	}
	return nil
}

func (o *options) parseLevel(text string) error {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[text]
	if !ok {
		return fmt.Errorf("--log-level is %q: it must be debug, info, warn or error", text)
	}
	o.logLevel = level
	return nil
}
