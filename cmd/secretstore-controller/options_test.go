package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

//covers:field setting.cloudFile setting.driftCheckIntervalInSeconds setting.enablePartialSecretSync setting.leaderElection
//covers:field setting.logLevel setting.namespaces setting.rotationPollIntervalInSeconds setting.workers
//covers:field setting.adoptWrittenBefore setting.driftDetection setting.jitterSeconds setting.vaultRequestsPerSecond
func TestParse(t *testing.T) {
	t.Parallel()
	defaults := options{rotationPollInterval: time.Hour, partialSync: true, driftInterval: 5 * time.Minute, workers: 32, vaultRequestsPerSecond: 100, metricsAddress: "0", healthAddress: "0"}
	for name, tc := range map[string]struct {
		reason string
		args   []string
		want   func(*options)
	}{
		"Defaults": {"the extension's defaults, and nothing listens", nil, func(*options) {}},
		"All": {"every flag is heard", []string{
			"--kubeconfig", "k", "--cloudFile=c", "--cloudFile=d", "--namespaces=a,b", "--leaderElection", "--leaderElectionNamespace=l",
			"--rotationPollIntervalInSeconds=60", "--enablePartialSecretSync=false", "--driftCheckIntervalInSeconds=0", "--driftDetection=watch", "--syncHashKeyFile", "h", "--workers", "3",
			"--jitterSeconds=30", "--vaultRequestsPerSecond=400",
			"--metricsBindAddress", ":1", "--healthProbeBindAddress", ":2", "--logLevel", "debug", "--adoptWrittenBefore", "2026-11-24T10:00:00Z",
		}, func(o *options) {
			*o = options{
				kubeconfig: "k", cloudFiles: []string{"c", "d"}, rotationPollInterval: time.Minute, watchSecrets: true, syncHashKeyFile: "h", workers: 3,
				jitter: 30 * time.Second, vaultRequestsPerSecond: 400,
				namespaces: []string{"a", "b"}, leaderElection: true, leaderElectionNamespace: "l",
				metricsAddress: ":1", healthAddress: ":2", logLevel: slog.LevelDebug,
				adoptWrittenBefore: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
			}
		}},
		"KebabCase": {"and in Kubernetes' own spelling", []string{
			"--cloud-file=c", "--sync-hash-key-file", "h", "--metrics-bind-address", ":1", "--health-probe-bind-address=:2", "--log-level=warn",
		}, func(o *options) {
			o.cloudFiles, o.syncHashKeyFile, o.metricsAddress, o.healthAddress, o.logLevel = []string{"c"}, "h", ":1", ":2", slog.LevelWarn
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := defaults
			tc.want(&want)
			got, err := parse(tc.args, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		says []string
	}{
		"Unknown":   {[]string{"--worker=3"}, []string{"--worker"}},
		"Argument":  {[]string{"start"}, []string{`"start"`, "--help"}},
		"Interval":  {[]string{"--rotationPollIntervalInSeconds=0"}, []string{"rotationPollIntervalInSeconds is 0", "from 1"}},
		"Jitter":    {[]string{"--jitterSeconds=-1"}, []string{"jitterSeconds is -1", "from 0"}},
		"Budget":    {[]string{"--vaultRequestsPerSecond=0"}, []string{"vaultRequestsPerSecond is 0", "from 1"}},
		"Detection": {[]string{"--drift-detection=guess"}, []string{`driftDetection is "guess"`, "look or watch"}},
		"Moment":    {[]string{"--adoptWrittenBefore=yesterday"}, []string{`adoptWrittenBefore is "yesterday"`, "2026-11-24T10:00:00Z"}},
		"Leader":    {[]string{"--leaderElection", "--kubeconfig=k"}, []string{"leaderElectionNamespace"}},
		"AllAtOnce": {[]string{"--workers=0", "--log-level=loud"}, []string{"workers is 0", "logLevel is \"loud\"", "debug, info, warn or error"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(tc.args, io.Discard)
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range tc.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if _, err := parse([]string{"--help"}, &out); !errors.Is(err, pflag.ErrHelp) {
		t.Fatal(err)
	}
	for _, text := range []string{"Key Vault", "--kubeconfig FILE", "--rotationPollIntervalInSeconds SECONDS", "default 3600"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("help does not say %q:\n%s", text, out.String())
		}
	}
}

func TestSettingsFile(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		text   string
		args   []string
		want   func(*options)
		says   []string
	}{
		"All": {
			"every setting can stand in the file",
			"rotationPollIntervalInSeconds: 60\nnamespaces: [a, b]\nworkers: 3\nlogLevel: debug\nmetricsBindAddress: ':1'\njitterSeconds: 30\nvaultRequestsPerSecond: 50\nadoptWrittenBefore: 2026-11-24T10:00:00Z\n", nil,
			func(o *options) {
				o.adoptWrittenBefore = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
				o.namespaces = []string{"a", "b"}
				o.rotationPollInterval, o.workers, o.logLevel, o.metricsAddress = time.Minute, 3, slog.LevelDebug, ":1"
				o.jitter, o.vaultRequestsPerSecond = 30*time.Second, 50
			}, nil,
		},
		"FlagsWin": {
			"the command line is nearer", "workers: 3\nlogLevel: debug\n",
			[]string{"--workers=5"},
			func(o *options) { o.workers, o.logLevel = 5, slog.LevelDebug }, nil,
		},
		"Empty":      {"an empty file sets nothing", "", nil, func(*options) {}, nil},
		"Unknown":    {"what is no setting is said, with what is", "worker: 3\n", nil, nil, []string{"worker is no setting", "workers", "logLevel"}},
		"Kebab":      {"one spelling in files", "log-level: debug\n", nil, nil, []string{"log-level is no setting"}},
		"Kubeconfig": {"what is about the process is not for the file", "kubeconfig: x\n", nil, nil, []string{"kubeconfig is no setting"}},
		"BadValue":   {"a value that is no number", "workers: many\n", nil, nil, []string{"workers is many"}},
		"Detection":  {"a word that is none of the right ones", "driftDetection: guess\n", nil, nil, []string{`driftDetection is "guess": it must be look or watch`}},
		"OutOfRange": {"and one out of range", "workers: 0\n", nil, nil, []string{"workers is 0: it must be from 1"}},
		"Twice":      {"a name that stands twice", "workers: 1\nworkers: 2\n", nil, nil, []string{"workers"}},
		"NoMapping":  {"what is no mapping", "- a\n", nil, nil, []string{"mapping"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "settings.yaml")
			if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := parse(append(tc.args, "--config", file), io.Discard)
			for _, text := range tc.says {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %v does not say %q", tc.reason, err, text)
				}
			}
			if tc.want == nil {
				return
			}
			want := options{rotationPollInterval: time.Hour, partialSync: true, driftInterval: 5 * time.Minute, workers: 32, vaultRequestsPerSecond: 100, metricsAddress: "0", healthAddress: "0"}
			tc.want(&want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", tc.reason, err, diff)
			}
		})
	}
	if _, err := parse([]string{"--config", "/nonexistent/settings"}, io.Discard); err == nil || !strings.Contains(err.Error(), "/nonexistent/settings") {
		t.Errorf("a missing file: %v", err)
	}
}
