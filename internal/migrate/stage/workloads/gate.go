package workloads

import (
	"slices"

	"secretstore/internal/migrate/model"
)

// left prints each pod that has a volume of the driver, with the class that it names.
const left = `{{range .items}}{{$pod := .metadata}}{{range .spec.volumes}}{{if .csi}}{{if eq .csi.driver "` + model.Driver +
	`"}}{{$pod.namespace}}/{{$pod.name}} {{.csi.volumeAttributes.secretProviderClass}}{{"\n"}}{{end}}{{end}}{{end}}{{end}}`

// gate adds the proof that has to hold before the driver is removed. It stands while there is any volume to be got rid of.
func (p *planner) gate() {
	mounted := slices.ContainsFunc(p.survey.Workloads, func(w model.Workload) bool { return len(w.Volumes) > 0 })
	if p.options.Strategy != model.ZeroDowntime || !mounted {
		return
	}
	p.add(model.Change{
		ID: "workloads/check/csi-volumes", Order: orderGate, Verb: model.Check,
		Gate:    &model.Gate{Kind: model.GateUnmounted, Objects: p.survey.ClassRefs()},
		Summary: "No pod may have a CSI volume of Azure Key Vault left: one that has when the driver goes hangs in Terminating",
		Command: []string{
			"kubectl", "get", "pods", "--all-namespaces", "--field-selector", "status.phase!=Succeeded,status.phase!=Failed",
			"--output", "go-template=" + left,
		},
		Needs: []string{
			"Every rollout is complete, and every pod that nothing replaces was replaced", "Jobs that were left to their end have ended",
		},
		Undo: "It only looks: there is nothing to undo.",
	}, false)
}

// pace says once how fast values follow from now on, where they followed before.
func (p *planner) pace() {
	settings := p.survey.Installed.Settings
	mounted := slices.ContainsFunc(p.survey.Workloads, func(w model.Workload) bool { return len(w.Volumes) > 0 })
	if !mounted || settings["rotation"] != "true" {
		return
	}
	interval := settings["rotationPollInterval"]
	if interval == "" {
		interval = "2m"
	}
	p.say(codePace, model.Object{}, "", "Mounted files followed the vault every %s until now. Afterwards a Secret is checked every "+
		"1 h unless rotationPollIntervalInSeconds says otherwise, and files follow it within about a minute.", interval)
}
