package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// managerName is the program that envtest does not know.
const managerName = "kube-controller-manager"

// managerTimeout bounds the wait for the first work of the controllers.
const managerTimeout = time.Minute

// process is a program that this package starts itself.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended, after err is set
	err  error
}

// controllers lists those that tests rely on. Fewer controllers start faster and use less of a small machine.
func controllers(rollouts bool) string {
	names := []string{
		"garbage-collector-controller",
		"namespace-controller",
		"root-ca-certificate-publisher-controller",
		"serviceaccount-controller",
		"validatingadmissionpolicy-status-controller", // type-checks policies, so that a test can read what it found
	}
	if rollouts {
		names = append(names, rolloutControllers()...)
	}
	return strings.Join(names, ",")
}

// startManager starts kube-controller-manager and waits until it has made the default service account: by then its
// controllers have their caches and work.
func (c *Cluster) startManager(ctx context.Context) error {
	path, err := findBinary(managerName)
	if err != nil {
		return err
	}
	kubeconfig, err := c.KubeconfigFile(managerName, c.config)
	if err != nil {
		return err
	}
	authority := filepath.Join(c.dir, "ca.crt")
	if err := os.WriteFile(authority, c.CAPEM(), 0o600); err != nil {
		return fmt.Errorf("writing the certificate authority: %w", err)
	}
	log, err := c.openLog(managerName)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, //nolint:noctx // it runs until Stop, not until the context of its start ends
		"--kubeconfig="+kubeconfig,
		"--controllers="+controllers(c.rollouts),
		"--leader-elect=false",
		"--secure-port=0", // nobody asks it anything
		"--root-ca-file="+authority,
		"--kube-api-qps=500", "--kube-api-burst=1000",
	)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownGroup()
	if c.manager, err = launch(cmd); err != nil {
		return err
	}
	if err := c.awaitDefaultAccount(ctx); err != nil {
		return errors.Join(err, c.logTail(managerName))
	}
	return nil
}

// awaitDefaultAccount waits for the account which says that the controllers work, or for their death.
func (c *Cluster) awaitDefaultAccount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, managerTimeout)
	defer cancel()
	key := client.ObjectKey{Namespace: "default", Name: "default"}
	return await(ctx, func() (bool, error) {
		select {
		case <-c.manager.done:
			return true, fmt.Errorf("it ended: %w", c.manager.err)
		default:
		}
		err := c.client.Get(ctx, key, &corev1.ServiceAccount{})
		return err == nil, err
	})
}

// launch starts a program and collects its end.
func launch(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting: %w", err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		if p.err = cmd.Wait(); p.err == nil {
			p.err = errors.New("exit status 0") // whatever it says, nobody had asked it to end
		}
	}()
	return p, nil
}

// stop kills the program and waits for its end. It is not asked politely because it has nothing to save, and asked so it
// would wait for its workers. That it had ended before is an error: a test without it has tested something else.
func (p *process) stop() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s had ended by itself: %w", filepath.Base(p.cmd.Path), p.err)
	default:
	}
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing %s: %w", filepath.Base(p.cmd.Path), err)
	}
	<-p.done
	return nil
}
