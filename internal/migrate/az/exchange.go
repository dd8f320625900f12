package az

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"secretstore/internal/azure/entra"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// between is the pause between two exchanges: each mints a token.
const between = 10 * time.Second

// Mint makes a token of a service account, good for some minutes, anew with each call.
type Mint func(context.Context, model.Token) (string, error)

// IsExchange tells whether a command is the login that waits for a federated credential: Await carries it out, not Run.
func IsExchange(argv []string) bool {
	return len(argv) > 2 && argv[0] == "az" && argv[1] == "login" && slices.Contains(argv, "--federated-token")
}

// Await does what a plan's login with a federated token is for: it waits until Entra gives a token for one of the service
// account. It tries again while Entra may not know what was made yet, at most for a time; what no time cures fails at once. The
// error says Entra's reason and the cure. It returns how often it tried.
func (r *Runner) Await(ctx context.Context, argv []string, token model.Token, mint Mint, atMost time.Duration) (int, error) {
	if !IsExchange(argv) {
		return 0, &UnsupportedError{Command: shell.Bash(withoutTokens(argv)), Why: "it is no login with a federated token"}
	}
	given := flags(argv[2:])
	var unminted error
	credential, err := r.credential(entra.Subject{
		TenantID: strings.Join(given["--tenant"], ""), ClientID: strings.Join(given["--username"], ""),
		Namespace: token.Namespace, ServiceAccount: token.Account,
	}, token, func(ctx context.Context, token model.Token) (minted string, err error) {
		minted, unminted = mint(ctx, token)
		return minted, unminted
	})
	if err != nil {
		return 0, err
	}
	end := r.Clock.Now().Add(atMost)
	for try := 1; ; try++ {
		err := credential.Prove(ctx)
		switch {
		case err == nil:
			return try, nil
		case unminted != nil:
			return try, fmt.Errorf("minting a token of the service account %s/%s: %w", token.Namespace, token.Account, unminted)
		case !entra.MayPass(err), atMost == 0: // one try
			return try, fmt.Errorf("waiting until Entra takes tokens of %s/%s: %w", token.Namespace, token.Account, err)
		case !r.Clock.Now().Add(between).Before(end):
			return try, fmt.Errorf("waiting until Entra takes tokens of %s/%s: it does not after %d tries in %s: %w", token.Namespace,
				token.Account, try, atMost, err)
		}
		if r.Tell != nil {
			r.Tell(fmt.Sprintf("%s/%s: not yet: %s", token.Namespace, token.Account, err))
		}
		if err := r.pause(ctx); err != nil {
			return try, fmt.Errorf("waiting until Entra takes tokens of %s/%s: %w", token.Namespace, token.Account, err)
		}
	}
}

// credential is the identity in the cloud whose audience the token has.
func (r *Runner) credential(s entra.Subject, token model.Token, mint Mint) (*entra.Credential, error) {
	all := r.Clouds.All()
	if unnamed, err := r.Clouds.Named(""); err == nil { // the operator's own may share an audience with one of Azure's
		all = append([]entra.Cloud{unnamed}, all...)
	}
	at := slices.IndexFunc(all, func(c entra.Cloud) bool { return c.TokenAudience == token.Audience })
	if at < 0 {
		return nil, fmt.Errorf("waiting until Entra takes tokens of %s/%s: no cloud has the audience %s", token.Namespace,
			token.Account, token.Audience)
	}
	return entra.NewCredential(all[at], r.Transport, s, func(ctx context.Context, _ string) (string, error) {
		return mint(ctx, token)
	})
}

func (r *Runner) pause(ctx context.Context) error {
	timer := r.Clock.NewTimer(between)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C():
		return nil
	}
}
