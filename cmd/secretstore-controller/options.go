package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// options is the command line as a value.
type options struct {
	// kubeconfig names the cluster and the identity to run as; empty means the service account of the pod.
	kubeconfig string
	// cloudFiles hold cloud definitions; without any there are Azure's own.
	cloudFiles []string
	// rotationPollInterval is how often each SecretSync is checked.
	rotationPollInterval time.Duration
	// jitter is the upper bound of a wait that is drawn for each check.
	jitter time.Duration
	// vaultRequestsPerSecond is how many requests a second one vault is asked at most.
	vaultRequestsPerSecond int
	// partialSync says that what could be fetched is written, whatever became of the rest.
	partialSync bool
	// driftInterval is how often each Secret is looked at between checks; 0 means never.
	driftInterval time.Duration
	// watchSecrets says that Secrets are looked at as soon as they are touched, too.
	watchSecrets bool
	// syncHashKeyFile holds the installation's key for status.syncHash; empty means a new random one at each start.
	syncHashKeyFile string
	// workers is how many SecretSyncs are checked at the same time.
	workers int
	// namespaces are those to serve; none means all.
	namespaces []string
	// adoptWrittenBefore gives this controller what another one of the same kinds wrote last before then; zero gives nothing.
	adoptWrittenBefore time.Time
	// leaderElection lets several replicas run, of which one works; its Lease is in leaderElectionNamespace.
	leaderElection          bool
	leaderElectionNamespace string
	// metricsAddress and healthAddress are host:port to listen on, or "0" for not at all.
	metricsAddress, healthAddress string
	logLevel                      slog.Level
}

// Defaults that are the Secret Store extension's own, or that need a reason.
const (
	defaultPollSeconds  = 3600
	defaultDriftSeconds = 300
	// defaultWorkers is how many checks are under way at the same time: enough that a few slow vaults hold nobody up, and that the
	// API server has writes to do while others wait for a vault. With 16, five hundred new SecretSyncs took a third longer.
	defaultWorkers = 32
	maxWorkers     = 256
	// defaultVaultRequests leaves a vault, which takes 400 a second, to four clusters that ask as much as they may.
	defaultVaultRequests = 100
	maxVaultRequests     = 10000
	maxPollSeconds       = 30 * 24 * 3600
)

// raw is what flags and the settings file say, before it is judged.
type raw struct {
	options
	config                                   string
	pollSeconds, driftSeconds, jitterSeconds int
	driftDetection, level, adopt             string
}

// flagSet describes every setting. A setting has one name: as a flag, in the file that --config names, and in the chart's
// values. The extension's settings keep the names that the extension gives them.
func (r *raw) flagSet(usage io.Writer) *pflag.FlagSet {
	flags := pflag.NewFlagSet("secretstore-controller", pflag.ContinueOnError)
	flags.SetOutput(usage)
	flags.SortFlags = false
	flags.SetNormalizeFunc(camelCase)
	flags.StringVar(&r.kubeconfig, "kubeconfig", "",
		"kubeconfig `FILE` of the cluster to serve; without it, the cluster that this runs in")
	flags.StringVar(&r.config, "config", "", "YAML `FILE` of settings, by the names below; flags win over it")
	flags.StringSliceVar(&r.cloudFiles, "cloudFile", nil,
		"YAML `FILE` that defines an Azure cloud besides Azure's own (name, authority, vaultDNSSuffix, tokenAudience, caFile, "+
			"dialAddress); the first is meant where a SecretProviderClass has no cloudName; may be given again")
	flags.IntVar(&r.pollSeconds, "rotationPollIntervalInSeconds", defaultPollSeconds,
		"`SECONDS` from one check of a SecretSync to the next")
	flags.IntVar(&r.jitterSeconds, "jitterSeconds", 0,
		"upper bound, in `SECONDS`, of a random wait before each check, so that a fleet of clusters does not ask a vault all at once; "+
			"\"kubectl secretstore jitter\" computes it")
	flags.IntVar(&r.vaultRequestsPerSecond, "vaultRequestsPerSecond", defaultVaultRequests,
		"`NUMBER` of requests a second that one vault is asked at most; less for a while after it throttled")
	flags.BoolVar(&r.partialSync, "enablePartialSecretSync", true,
		"update each item of a Secret that could be fetched, whatever became of the others; false for all or nothing")
	flags.IntVar(&r.driftSeconds, "driftCheckIntervalInSeconds", defaultDriftSeconds,
		"`SECONDS` from one look at a Secret to the next, between checks, for edits by hand; 0 for none; stretched where it would "+
			"be more than 20 looks a second")
	flags.StringVar(&r.driftDetection, "driftDetection", detectByLook,
		"`HOW` edits of Secrets by hand are found: look, every driftCheckIntervalInSeconds; or watch, at once too, which needs the "+
			"right to list and watch Secrets")
	flags.StringVar(&r.syncHashKeyFile, "syncHashKeyFile", "",
		"`FILE` with the random key (32 bytes or more) behind status.syncHash; without it, a new key at each start")
	flags.IntVar(&r.workers, "workers", defaultWorkers, "`NUMBER` of SecretSyncs that are checked at the same time")
	flags.StringSliceVar(&r.namespaces, "namespaces", nil,
		"`NAMESPACES` to serve, parted by commas; all without it. The rights in these are all that the controller then needs")
	flags.StringVar(&r.adopt, "adoptWrittenBefore", "",
		"`TIME`, such as 2026-11-24T10:00:00Z, at which another controller of SecretSyncs and AKVSyncs had been stopped: those whose "+
			"status it wrote last before then are taken over; without it, they are left alone")
	flags.BoolVar(&r.leaderElection, "leaderElection", false, "let one of several replicas work, and another take over when it ends")
	flags.StringVar(&r.leaderElectionNamespace, "leaderElectionNamespace", "",
		"`NAMESPACE` of the Lease for it; the pod's own without it")
	flags.StringVar(&r.metricsAddress, "metricsBindAddress", "0", "`HOST:PORT` for Prometheus metrics; 0 for none")
	flags.StringVar(&r.healthAddress, "healthProbeBindAddress", "0", "`HOST:PORT` for /healthz and /readyz; 0 for none")
	flags.StringVar(&r.level, "logLevel", "info", "least `LEVEL` of what is logged: debug, info, warn or error")
	flags.Usage = func() {
		const columns = 100
		_, _ = fmt.Fprintf(usage, "Keeps Kubernetes Secrets in step with Azure Key Vault.\n\n"+
			"Usage:\n  secretstore-controller [flags]\n\nFlags:\n%s", flags.FlagUsagesWrapped(columns))
	}
	return flags
}

// camelCase lets every flag be written in kebab case too: --log-level is --logLevel.
func camelCase(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	words := strings.Split(name, "-")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return pflag.NormalizedName(strings.Join(words, ""))
}

// parse reads the command line and the settings file that it may name. What is wrong is said all at once.
func parse(args []string, usage io.Writer) (options, error) {
	var r raw
	flags := r.flagSet(usage)
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if r.config != "" {
		text, err := os.ReadFile(r.config)
		if err != nil {
			return options{}, fmt.Errorf("reading the settings: %w", err)
		}
		if err := applySettings(flags, text); err != nil {
			return options{}, fmt.Errorf("the settings in %s: %w", r.config, err)
		}
	}
	opts := r.options
	opts.driftInterval = time.Duration(r.driftSeconds) * time.Second
	opts.jitter = time.Duration(r.jitterSeconds) * time.Second
	opts.rotationPollInterval = time.Duration(r.pollSeconds) * time.Second
	return opts, errors.Join(
		noArguments(flags.Args()),
		within("rotationPollIntervalInSeconds", r.pollSeconds, 1, maxPollSeconds),
		within("jitterSeconds", r.jitterSeconds, 0, maxPollSeconds),
		within("vaultRequestsPerSecond", opts.vaultRequestsPerSecond, 1, maxVaultRequests),
		within("driftCheckIntervalInSeconds", r.driftSeconds, 0, maxPollSeconds),
		parseDetection(r.driftDetection, &opts.watchSecrets),
		within("workers", opts.workers, 1, maxWorkers),
		opts.leaderElectionPlace(),
		parseLevel(r.level, &opts.logLevel),
		parseTime("adoptWrittenBefore", r.adopt, &opts.adoptWrittenBefore),
	)
}

func noArguments(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %q: everything is set by flags (see --help)", args[0])
}

func within(setting string, value, least, most int) error {
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s is %d: it must be from %d to %d", setting, value, least, most)
}

// leaderElectionPlace asks for a namespace where the pod's own cannot be known.
func (o options) leaderElectionPlace() error {
	if !o.leaderElection || o.leaderElectionNamespace != "" || o.kubeconfig == "" {
		return nil
	}
	return errors.New("leaderElection needs leaderElectionNamespace outside a cluster: name the namespace for its Lease")
}

// The values of driftDetection.
const (
	detectByLook  = "look"
	detectByWatch = "watch"
)

func parseDetection(text string, watch *bool) error {
	if text != detectByLook && text != detectByWatch {
		return fmt.Errorf("driftDetection is %q: it must be %s or %s", text, detectByLook, detectByWatch)
	}
	*watch = text == detectByWatch
	return nil
}

// parseTime reads a moment; an empty text leaves it zero.
func parseTime(setting, text string, at *time.Time) error {
	if text == "" {
		return nil
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("%s is %q: it must be a time such as 2026-11-24T10:00:00Z", setting, text)
	}
	*at = parsed
	return nil
}

func parseLevel(text string, level *slog.Level) error {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	parsed, ok := levels[text]
	if !ok {
		return fmt.Errorf("logLevel is %q: it must be debug, info, warn or error", text)
	}
	*level = parsed
	return nil
}
