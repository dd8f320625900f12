package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"secretstore/internal/migrate/model"
)

// openError says that not every object that was found can be taken over yet, or that something else is in the way.
type openError struct {
	counts   model.Counts
	inTheWay int
}

// Error sums up what is left.
func (e openError) Error() string {
	text := fmt.Sprintf("of %s, %d need a decision and %d are blocked", plural(e.counts.Total, "object"), e.counts.NeedsDecision,
		e.counts.Blocked)
	if e.inTheWay > 0 {
		is := "are"
		if e.inTheWay == 1 {
			is = "is"
		}
		text += fmt.Sprintf(", and %d of the findings about the whole %s in the way", e.inTheWay, is)
	}
	return text + ": the report says which, why, and what to do"
}

// open is an openError if anything of a report is left open, else nil.
func open(r model.Report) error {
	if e := (openError{r.Counts, r.InTheWay()}); e.counts.NeedsDecision+e.counts.Blocked+e.inTheWay > 0 {
		return e
	}
	return nil
}

// migrateFlags are what all verbs of migrate take, as they were typed.
type migrateFlags struct {
	strategy, target, style, roles string
	azure                          model.AzureInputs
	noAzure, forceLive             bool
	from, state, out, emitAz       string
	allNamespaces                  bool
	// act and dryRun are of the verbs that change something.
	act              actOptions
	dryRun           string
	selector, output string
	cluster          *genericclioptions.ConfigFlags
}

// migration is what all verbs of migrate take, checked.
type migration struct {
	options model.Options
	// from is the folder that is read instead of a cluster; state the folder that keeps what must not be lost between runs.
	from, state string
	// out is where files go; empty edits the folder in place, or shows the plan only.
	out    string
	dryRun dryRun
	act    actOptions
	// emitAz is the file of the script of az commands, `-` for standard output; empty for none.
	emitAz     string
	namespaces []string
	selector   string
	format     format
	cluster    *genericclioptions.ConfigFlags
}

// formatHTML is the one file that is mailed and printed.
const formatHTML format = "html"

// newMigrate is the parent of the verbs that move a cluster from the CSI extension.
func newMigrate(p program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate VERB",
		Short: "Move a cluster from the Azure Key Vault Secrets Provider extension",
		Long: `Move a cluster, or the folder of manifests that it is deployed from, from the Azure Key Vault Secrets Provider
extension (the CSI driver's way) to the Secret Store.

Every object that is found ends as exactly one of translated, needs-decision, blocked and not-in-use; the sums are printed.
Nothing is changed in a cluster or in Azure without --apply, and no value of a secret is shown or written to disk.

Read and plan first (inventory, plan), answer in plan.yaml what only you can decide, then either run, or prepare, translate,
workloads, switchover, verify and cleanup one by one. Each goes on where the last one ended, and status says where that is.

Exit codes: 0 done, or everything can be taken over; 1 failed; 2 the command line is wrong; 4 something needs a decision or is
blocked; 5 stopped where a person is needed, at a gate or a step by hand: do what is said, and run again.`,
		Example: `  # What is there, and what would happen, as a page to read and to print
  kubectl secretstore migrate plan -o html > migration.html

  # The same for a GitOps repository, and then the edits
  kubectl secretstore migrate plan --from deploy/
  kubectl secretstore migrate translate --from deploy/
  kubectl secretstore migrate workloads --from deploy/
  git diff

  # The whole way in the cluster, stopping where a person is needed
  kubectl secretstore migrate run --apply --image registry.example/secretstore:v1`,
		Args: cobra.ArbitraryArgs,
		RunE: unknownVerb,
		// How many letters may differ for a verb to be suggested.
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newInventory(p), newPlan(p), newPrepare(p), newSwitchover(p), newTranslate(p), newWorkloads(p), newVerify(p),
		newCleanup(p), newRunAll(p), newRollback(p), newMigrateStatus(p), newExplain(p))
	return cmd
}

// add adds the flags to a verb. Where things are in Azure may come from the variables that Microsoft's guide has
// the operator export.
func (f *migrateFlags) add(cmd *cobra.Command, p program) {
	flags := cmd.Flags()
	choice(cmd, &f.strategy, "strategy", "order of the stages", model.ZeroDowntime, model.Guide)
	choice(cmd, &f.target, "target", "system to move to", model.TargetSecretStore, model.TargetSSE)
	choice(cmd, &f.style, "style", "resources to make", model.StyleDirect, model.StyleAKVSync)
	choice(cmd, &f.roles, "roles", "what the new identity may read", model.RolesLeast, model.RolesGuide)
	for _, input := range []struct {
		into                  *string
		name, variable, means string
	}{
		{&f.azure.Subscription, "subscription", "SUBSCRIPTION", "Azure subscription"},
		{&f.azure.ResourceGroup, "resource-group", "RESOURCE_GROUP", "resource group of the cluster"},
		{&f.azure.Cluster, "cluster-name", "CLUSTER_NAME", "name of the Arc-enabled cluster"},
		{&f.azure.Location, "location", "LOCATION", "Azure region of new identities"},
		{&f.azure.Tenant, "tenant", "AZURE_TENANT_ID", "Entra tenant"},
		{&f.azure.Identity, "identity", "USER_ASSIGNED_IDENTITY_NAME", "name of the managed identity"},
		{&f.azure.ServiceAccount, "service-account", "SERVICE_ACCOUNT_NAME", "name of the service account made in each namespace"},
	} {
		flags.StringVar(input.into, input.name, p.env(input.variable), fmt.Sprintf("%s; default $%s", input.means, input.variable))
		flags.Lookup(input.name).DefValue = "" // help is the same wherever it is read
	}
	flags.BoolVar(&f.noAzure, "no-azure", false, "leave Azure to somebody else: its steps are printed as theirs")
	flags.BoolVar(&f.forceLive, "force-live", false, "change objects of Helm, Argo CD and Flux in the cluster too")
	flags.StringVar(&f.from, "from", "", "folder of manifests to read instead of a cluster")
	flags.StringVar(&f.state, "state", "", "folder that keeps backups, plan.yaml and the journal (default ./secretstore-migration)")
	flags.StringVar(&f.emitAz, "emit-az", "", "write the az commands as a script to this file, or - for standard output")
	flags.BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, "look in all namespaces, which is what happens without -n too")
	flags.StringVarP(&f.selector, "selector", "l", "", "only workloads whose labels match, such as app=shop,tier!=test")
	f.cluster = addClusterFlags(cmd)
	addFormatFlag(cmd, &f.output, formatJSON, formatYAML, formatHTML, formatWide)
}

// choice adds a flag that takes one of a few words, the first being the default.
func choice[T ~string](cmd *cobra.Command, into *string, name, means string, words ...T) {
	all := make([]string, 0, len(words))
	for _, w := range words {
		all = append(all, string(w))
	}
	cmd.Flags().StringVar(into, name, all[0], means+": "+strings.Join(all, ", "))
	// Fails only if there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
}

// parse checks the flags.
func (f *migrateFlags) parse() (migration, error) {
	m := migration{
		from: f.from, state: cmp.Or(f.state, "secretstore-migration"), out: f.out, emitAz: f.emitAz,
		act: f.act, dryRun: parseDryRun(f.dryRun),
		selector: f.selector, cluster: f.cluster,
		options: model.Options{Azure: f.azure, NoAzure: f.noAzure, ForceLive: f.forceLive},
	}
	var err error
	m.format, err = parseFormat(f.output, formatJSON, formatYAML, formatHTML, formatWide)
	_, selector := labels.Parse(f.selector)
	if selector != nil {
		selector = fmt.Errorf("-l %s is no label selector: %w", f.selector, selector)
	}
	return m, errors.Join(err, selector, f.parseNamespaces(&m), f.parseAccount(),
		m.checkActs(),
		word(&m.options.Strategy, "strategy", f.strategy, model.ZeroDowntime, model.Guide),
		word(&m.options.Target, "target", f.target, model.TargetSecretStore, model.TargetSSE),
		word(&m.options.Style, "style", f.style, model.StyleDirect, model.StyleAKVSync),
		word(&m.options.Roles, "roles", f.roles, model.RolesLeast, model.RolesGuide))
}

// parseNamespaces says which namespaces are meant: all, unless one is named.
func (f *migrateFlags) parseNamespaces(m *migration) error {
	named := f.cluster.Namespace != nil && *f.cluster.Namespace != ""
	switch {
	case named && f.allNamespaces:
		return errors.New("-n and -A contradict each other: leave one out")
	case named:
		m.namespaces = strings.Split(*f.cluster.Namespace, ",")
	}
	for _, name := range m.namespaces {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return fmt.Errorf("-n %s is no namespace: %s", name, problems[0])
		}
	}
	return nil
}

// parseAccount checks the name of the service accounts.
func (f *migrateFlags) parseAccount() error {
	name := f.azure.ServiceAccount
	if problems := validation.IsDNS1123Subdomain(name); name != "" && len(problems) > 0 {
		return fmt.Errorf("--service-account %s is no name for a service account: %s", name, problems[0])
	}
	return nil
}

// word checks a flag that takes one of a few words.
func word[T ~string](into *T, name, text string, words ...T) error {
	if *into = T(text); slices.Contains(words, *into) {
		return nil
	}
	return fmt.Errorf("--%s %s is none of its values: there are %v", name, text, words)
}
