package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// assetsVariable is where users of envtest say that they have binaries of their own.
const assetsVariable = "KUBEBUILDER_ASSETS"

// tailBytes is how much of a log an error carries: some twenty lines.
const tailBytes = 4096

// Root returns the repository's folder: the nearest one upwards of the working directory that holds a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("finding the repository: no go.mod here or above")
		}
		dir = parent
	}
}

// Manifests reads the files that match patterns relative to [Root], sorted by name within each pattern. A pattern that
// matches nothing is an error: a test that installs nothing would otherwise fail far from the cause.
func Manifests(patterns ...string) ([][]byte, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	var manifests [][]byte
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			return nil, errors.Join(fmt.Errorf("reading manifests: nothing matches %q in %s", pattern, root), err)
		}
		sort.Strings(paths)
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("reading manifests: %w", err)
			}
			manifests = append(manifests, content)
		}
	}
	return manifests, nil
}

// findBinary returns the path of one of the control plane's programs.
func findBinary(name string) (string, error) {
	dir := os.Getenv(assetsVariable)
	hint := assetsVariable + " must name a folder that holds etcd, kube-apiserver and kube-controller-manager (which " +
		"setup-envtest does not bring: add it), or be unset"
	if dir == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "bin", "controlplane")
		hint = `run "make controlplane", which builds it`
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("finding %s: %w; %s", name, err, hint)
	}
	return path, nil
}

// KubeconfigFile writes a kubeconfig for cfg into the cluster's folder, as NAME.kubeconfig, and returns its path.
func (c *Cluster) KubeconfigFile(name string, cfg *rest.Config) (string, error) {
	kubeconfig := api.Config{
		Clusters: map[string]*api.Cluster{"cluster": {Server: cfg.Host, CertificateAuthorityData: cfg.CAData}},
		AuthInfos: map[string]*api.AuthInfo{name: {
			ClientCertificateData: cfg.CertData, ClientKeyData: cfg.KeyData, Token: cfg.BearerToken,
		}},
		Contexts:       map[string]*api.Context{name: {Cluster: "cluster", AuthInfo: name}},
		CurrentContext: name,
	}
	path := filepath.Join(c.dir, name+".kubeconfig")
	if err := clientcmd.WriteToFile(kubeconfig, path); err != nil {
		return "", fmt.Errorf("writing the kubeconfig of %s: %w", name, err)
	}
	return path, nil
}

func (c *Cluster) logPath(program string) string { return filepath.Join(c.dir, program+".log") }

// openLog opens the file that takes a program's output; Stop closes it.
func (c *Cluster) openLog(program string) (*os.File, error) {
	f, err := os.OpenFile(c.logPath(program), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", program, err)
	}
	c.logFiles = append(c.logFiles, f)
	return f, nil
}

// logTail is an error that shows the end of a program's log, nil if there is none to show.
func (c *Cluster) logTail(program string) error {
	f, err := os.Open(c.logPath(program))
	if err != nil {
		return nil // there is none to show
	}
	defer func() { _ = f.Close() }()
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > tailBytes {
		_, _ = f.Seek(-tailBytes, io.SeekEnd)
	} else {
		_, _ = f.Seek(0, io.SeekStart)
	}
	tail, err := io.ReadAll(f)
	if err != nil || len(tail) == 0 {
		return nil
	}
	return fmt.Errorf("the log of %s ends with:\n%s", program, tail)
}
