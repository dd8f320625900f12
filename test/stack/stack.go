// Package stack runs the programs of this project together, as users run them: the emulator in place of Azure, and the
// controller as the service account of the chart, with its role and under its policies, against a control plane of package
// cluster. The demo and the integration tests stand on it.
package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"secretstore/internal/azure/entra"
	"secretstore/test/chart"
	"secretstore/test/cluster"
)

// Options say how to start. All are required.
type Options struct {
	// Cluster is the control plane.
	Cluster *cluster.Cluster
	// Programs is the folder with the built programs.
	Programs string
	// Dir takes logs, certificates and kubeconfigs.
	Dir string
	// Seed is the file with the emulator's first state. ${VARIABLES} in it come from Environment.
	Seed        string
	Environment []string
	// ControllerFlags are added to the controller's.
	ControllerFlags []string
	// ChartValues are added to the values that the chart is installed with.
	ChartValues map[string]any
	// ReachCluster, if set, changes how the controller reaches the API server.
	ReachCluster func(*rest.Config)
	// PublicNames, if set, is the address of a proxy through which the controller reaches the emulator under the public cloud's
	// own names: it is given no cloud definition, and trusts the emulator as one of the system's authorities.
	PublicNames string
}

// Stack is the emulator and the controller, running.
type Stack struct {
	// Emulator and Controller are the two programs.
	Emulator, Controller *Process
	// Address is where the emulator listens, CAFile the certificate that it is trusted by, CloudFile the cloud definition
	// that leads the controller there, and Kubeconfig the one that the controller runs with.
	Address, CAFile, CloudFile, Kubeconfig string

	options Options
	client  *http.Client
}

// StartEmulator starts the emulator alone; the controller is started by [Stack.StartController].
func StartEmulator(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{options: o, CAFile: filepath.Join(o.Dir, "emulator-ca.crt"), CloudFile: filepath.Join(o.Dir, "cloud.yaml")}
	issuerCA, addressFile := filepath.Join(o.Dir, "issuer-ca.crt"), filepath.Join(o.Dir, "emulator-address")
	if err := os.WriteFile(issuerCA, o.Cluster.CAPEM(), 0o600); err != nil {
		return nil, fmt.Errorf("writing the issuer's certificate: %w", err)
	}
	var err error
	s.Emulator, err = startProcess(ctx, o.Dir, filepath.Join(o.Programs, "secretstore-emulator"), o.Environment,
		"--listen", "127.0.0.1:0", "--seed", o.Seed, "--ca-file", s.CAFile, "--issuer-ca", issuerCA,
		"--address-file", addressFile)
	if err != nil {
		return nil, err
	}
	address, err := s.await(ctx, []*Process{s.Emulator}, func() (string, error) {
		text, err := os.ReadFile(addressFile)
		return strings.TrimSpace(string(text)), err
	})
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.Address = address
	cloud := fmt.Sprintf("name: emulator\ncaFile: %s\ndialAddress: %s\n", s.CAFile, address)
	if err := os.WriteFile(s.CloudFile, []byte(cloud), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the cloud definition: %w", err), s.Stop())
	}
	if s.client, err = s.httpClient(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// httpClient reaches the emulator under every name.
func (s *Stack) httpClient() (*http.Client, error) {
	cloud, err := entra.LoadCloud(s.CloudFile)
	if err != nil {
		return nil, err
	}
	return cloud.HTTPClient()
}

// StartController installs the chart and starts the controller as the chart's service account. The chart's own pods stay pending:
// the control plane has no node.
func (s *Stack) StartController(ctx context.Context) error {
	if err := s.Install(ctx); err != nil {
		return err
	}
	return s.RestartController(ctx)
}

// Install installs the chart and writes [Stack.Kubeconfig], and starts nothing: controllers are started by [Stack.StartReplica].
func (s *Stack) Install(ctx context.Context) error {
	values := map[string]any{"image": map[string]any{"repository": chart.Account}}
	maps.Copy(values, s.options.ChartValues)
	manifests, err := chart.Install(ctx, s.options.Cluster.Config(), values)
	if err != nil {
		return err
	}
	namespace := fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", chart.Namespace)
	if err := s.options.Cluster.Apply(ctx, []byte(namespace), manifests); err != nil {
		return fmt.Errorf("installing the chart: %w", err)
	}
	return s.signInController(ctx)
}

// StartInstalled starts the controller of a chart that somebody else has installed, as its service account.
func (s *Stack) StartInstalled(ctx context.Context) error {
	if err := s.signInController(ctx); err != nil {
		return err
	}
	return s.RestartController(ctx)
}

// signInController writes [Stack.Kubeconfig].
func (s *Stack) signInController(ctx context.Context) error {
	config, err := s.options.Cluster.ServiceAccountConfig(ctx, chart.Namespace, chart.Account)
	if err != nil {
		return err
	}
	if s.options.ReachCluster != nil {
		s.options.ReachCluster(config)
	}
	s.Kubeconfig, err = s.options.Cluster.KubeconfigFile(chart.Account, config)
	return err
}

// RestartController starts the controller again after it was stopped or killed.
func (s *Stack) RestartController(ctx context.Context) error {
	var err error
	s.Controller, err = s.StartReplica(ctx)
	return err
}

// StartReplica starts one more controller beside those that run, with flags of its own after those of all. Its caller stops it.
func (s *Stack) StartReplica(ctx context.Context, own ...string) (*Process, error) {
	flags, environment := []string{"--kubeconfig", s.Kubeconfig}, []string(nil)
	if proxy := s.options.PublicNames; proxy != "" {
		environment = []string{"HTTPS_PROXY=http://" + proxy, "SSL_CERT_FILE=" + s.CAFile, "SSL_CERT_DIR=" + s.options.Dir}
	} else {
		flags = append(flags, "--cloudFile", s.CloudFile)
	}
	program := filepath.Join(s.options.Programs, "secretstore-controller")
	return startProcess(ctx, s.options.Dir, program, environment, slices.Concat(flags, s.options.ControllerFlags, own)...)
}

// Stop ends both programs.
func (s *Stack) Stop() error {
	var errs []error
	for _, p := range []*Process{s.Controller, s.Emulator} {
		if p != nil {
			errs = append(errs, p.Stop())
		}
	}
	return errors.Join(errs...)
}

// Behave sets how the emulator misbehaves, as its admin endpoint takes it: {} for not at all.
func (s *Stack) Behave(ctx context.Context, behaviour string) error {
	return s.Admin(ctx, http.MethodPut, "/admin/faults", behaviour, nil)
}

// Admin makes one call to the emulator's admin endpoint. into, if not nil, receives the answer's JSON.
func (s *Stack) Admin(ctx context.Context, method, path, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, "https://"+s.Address+path, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(response.Body); err != nil {
		return fmt.Errorf("reading the emulator's answer: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: the emulator answered %s: %s", method, path, response.Status, answer.String())
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Bytes(), into); err != nil {
		return fmt.Errorf("reading the emulator's answer: %w", err)
	}
	return nil
}

// Await polls until check gives no error, and returns what it gives; it fails when ctx ends or a program dies first.
func (s *Stack) Await(ctx context.Context, check func() (string, error)) (string, error) {
	return s.await(ctx, []*Process{s.Emulator, s.Controller}, check)
}

const (
	pollEvery    = 50 * time.Millisecond
	awaitTimeout = 60 * time.Second
)

func (s *Stack) await(ctx context.Context, alive []*Process, check func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, awaitTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		text, err := check()
		if err == nil {
			return text, nil
		}
		for _, p := range alive {
			if p == nil {
				continue
			}
			if ended := p.Ended(); ended != nil {
				return "", ended
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waited %v: %w", awaitTimeout, err)
		case <-tick.C:
		}
	}
}
