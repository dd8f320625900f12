package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"secretstore/internal/emulator"
	"secretstore/internal/emulator/state"
)

// run serves until the context ends. The first line on out tells where.
func run(ctx context.Context, opts options, lookup func(string) (string, bool), out, logs io.Writer) error {
	content, err := os.ReadFile(opts.seedFile)
	if err != nil {
		return fmt.Errorf("reading the seed: %w", err)
	}
	seed, err := state.Load(opts.seedFile, content, lookup)
	if err != nil {
		return err
	}
	roots, err := issuerRoots(opts.issuerCAs)
	if err != nil {
		return err
	}
	server, err := emulator.Start(ctx, emulator.Options{
		Listen: opts.listen, Seed: seed, IssuerRoots: roots,
		Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: opts.logLevel})),
	})
	if err != nil {
		return err
	}
	if err := announce(opts, server, out); err != nil {
		_ = server.Close() // the other error says more
		return err
	}
	<-ctx.Done()
	return server.Close()
}

// announce writes the files that others wait for, the address last, and the line for people.
func announce(opts options, server *emulator.Server, out io.Writer) error {
	if err := writeFile(opts.caFile, server.CAPEM()); err != nil {
		return err
	}
	if opts.addressFile != "" {
		if err := writeFile(opts.addressFile, []byte(server.Addr()+"\n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "emulator: listening on https://%s, CA in %s\n", server.Addr(), opts.caFile)
	return err
}

// issuerRoots are the system's authorities and those in the files; nil, for the system's, without files.
func issuerRoots(files []string) (*x509.CertPool, error) {
	if len(files) == 0 {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without any is no reason not to trust the files
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the issuers' authorities: %w", err)
		}
		if !roots.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("%s: there is no certificate in it", file)
		}
	}
	return roots, nil
}

// writeFile writes a file that all may read, at once: whoever finds it finds it whole.
func writeFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // it is gone if all went well
	_, errWrite := file.Write(content)
	errMode := file.Chmod(0o644) //nolint:mnd // readable by all
	errClose := file.Close()
	for _, err := range []error{errWrite, errMode, errClose} {
		if err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return os.Rename(file.Name(), path)
}
