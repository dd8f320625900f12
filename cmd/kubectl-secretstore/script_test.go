package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"secretstore/api/secretsync/v1alpha1"
)

// TestScripts runs the scripts in testdata, which specify each verb by example. Each script has a namespace of its own name, in
// $NS; $KUBECONFIG is that of an operator who may get, list and patch SecretSyncs and do nothing else. There are three more
// commands: "given FILE" makes SecretSyncs with the statuses written there, "controller" starts what answers forced checks, and
// "exit CODE COMMAND" is exec of a command that has to end with that exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			return setUp(t, env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"given": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(given(t.Context(), admin(t), ts.Getenv("NS"), ts.ReadFile(args[0])))
			},
			"controller": func(ts *testscript.TestScript, _ bool, _ []string) {
				ctx, stop := context.WithCancel(t.Context())
				c := standIn{client: admin(t), namespace: ts.Getenv("NS"), done: make(chan struct{})}
				go c.run(ctx)
				ts.Defer(func() {
					stop()
					<-c.done
				})
			},
			"exit": exits,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// exits runs a command, and fails the script unless its exit code is the one that is named first: a command that crashes fails as
// well as one that refuses.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE COMMAND [ARGUMENTS]")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exited, is := errors.AsType[*exec.ExitError](err)
		if !is {
			ts.Fatalf("%v", err)
		}
		code = exited.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// admin is a client that may do everything.
func admin(t *testing.T) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(shared.Config(), client.Options{Scheme: scheme, Log: logr.New(log.NullLogSink{})})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// setUp makes a script's namespace and the kubeconfigs that it may use.
func setUp(t *testing.T, env *testscript.Env) error {
	t.Helper()
	ns := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	if err := admin(t).Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		return err
	}
	operator, err := shared.ServiceAccountConfig(t.Context(), "operators", "operator")
	if err != nil {
		return err
	}
	nobody, err := shared.ServiceAccountConfig(t.Context(), "operators", "nobody")
	if err != nil {
		return err
	}
	stranger := rest.AnonymousClientConfig(operator)
	stranger.BearerToken = "expired"
	kubectl, err := shared.Binary("kubectl")
	if err != nil {
		return err
	}
	env.Setenv("NS", ns)
	env.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential") // whoever runs the tests may be signed in to Azure
	env.Setenv("KUBECTL", kubectl)
	for variable, config := range map[string]*rest.Config{
		"KUBECONFIG": operator, "NOBODY": nobody, "STRANGER": stranger, "WITHOUT_CRD": withoutCRD(t, shared.Config()),
		"GONE": {Host: "https://127.0.0.1:1"}, "ADMIN": shared.Config(),
	} {
		file := filepath.Join(env.WorkDir, variable+".kubeconfig")
		if err := writeKubeconfig(file, ns, config); err != nil {
			return err
		}
		env.Setenv(variable, file)
	}
	return nil
}

// withoutCRD is a way to the cluster on which our group is one that the cluster does not know.
func withoutCRD(t *testing.T, config *rest.Config) *rest.Config {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.Path = strings.ReplaceAll(r.In.URL.Path, v1alpha1.GroupName, "unknown."+v1alpha1.GroupName)
		},
	})
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL}
}

func writeKubeconfig(file, namespace string, config *rest.Config) error {
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters["test"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	kubeconfig.AuthInfos["test"] = &clientcmdapi.AuthInfo{
		Token: config.BearerToken, ClientCertificateData: config.CertData, ClientKeyData: config.KeyData,
	}
	kubeconfig.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test", Namespace: namespace}
	kubeconfig.CurrentContext = "test"
	if err := clientcmd.WriteToFile(*kubeconfig, file); err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return nil
}
