package report_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/report"
)

// sample is a report with everything in it that a report may hold.
func sample() model.Report {
	class := model.Object{
		Ref:   model.Ref{APIVersion: "secrets-store.csi.x-k8s.io/v1", Kind: "SecretProviderClass", Namespace: "shop", Name: "orders"},
		Place: model.Place{File: "shop/orders.yaml", Line: 7, Item: -1},
	}
	lone := class
	lone.Name, lone.Place.Line = "lone", 30
	survey := model.Survey{
		Input:   model.Input{Folder: "deploy", Namespaces: []string{"shop"}, Selector: "app=x"},
		Classes: []model.Class{{Object: class, UsedBy: []model.Ref{{Kind: "Deployment", Name: "web"}}}, {Object: lone}},
		Installed: model.Installed{
			Flavour: model.FlavourArc, Extension: "akvsecretsprovider", Namespace: "kube-system", DriverVersion: "v1.5.6",
		},
	}
	plan := model.Plan{
		Findings: []model.Finding{
			{Code: "M701", Severity: model.Blocking, Object: class.Ref, Place: class.Place, Message: "it is <odd> & shared", Action: "unshare it"},
			{Code: "M703", Severity: model.Warning, Message: "about the whole", Action: "look"},
		},
		Decisions: []model.Decision{
			{
				ID: "M701/shop/orders", Object: class.Ref, Question: "Which name?", Free: true, Required: true, Proposal: "orders-2",
				Options: []model.Option{{Answer: "stop", Means: "nothing is done"}},
			},
			{ID: "M702/shop/orders", Object: class.Ref, Question: "Keep it?", Proposal: "yes"},
			{ID: "M703/shop/orders", Object: class.Ref, Question: "Sure?", Answer: "no"},
		},
		Changes: []model.Change{
			{
				ID: "a", Stage: model.Prepare, Order: model.OrderPrepare, Verb: model.Run, Summary: "Make the identity.",
				Command: []string{"az", "identity", "create", "--name", "${USER_ASSIGNED_IDENTITY_NAME}"}, Needs: []string{"a login"},
				Risk: "none", Undo: "az identity delete", ByHand: "Azure is left to others",
			},
			{
				ID: "b", Stage: model.Translate, Order: model.OrderTranslate, Verb: model.Edit, Object: class.Ref, Place: class.Place,
				Summary: "Add clientID.", Undo: "git checkout",
				Edits: []model.FieldEdit{{Op: model.OpAdd, Path: model.Path{"spec", "parameters", "clientID"}, Value: "x"}},
			},
			{
				ID: "c", Stage: model.Cleanup, Order: model.OrderCleanup, Verb: model.Run, Summary: "Revoke.", Undo: "none",
				Manual: "Ask the board.\nWait.\n", Irreversible: true,
			},
		},
	}
	return model.NewReport(survey, model.Options{Strategy: model.ZeroDowntime, Target: model.TargetSecretStore}, plan)
}

// TestTextHasEverything: whatever the report holds, people read.
func TestTextHasEverything(t *testing.T) {
	t.Parallel()
	text := report.Text(sample(), true, map[string]string{sample().Changes[0].ID: "made"})
	for _, want := range []string{
		"the folder deploy, of it the namespaces shop, of it the workloads app=x", "zero-downtime", "the Arc extension akvsecretsprovider in kube-system, CSI driver v1.5.6",
		"it is <odd> & shared", "-> unshare it", "M701 blocked", "shop/orders.yaml:7: SecretProviderClass shop/orders", "about the whole",
		"Which name?", "open; proposed: orders-2 (stop | any other name)", "yes, unless you say otherwise", "decided: no",
		"Stage prepare", "1. [made] Make the identity.", `$ az identity create --name "${USER_ASSIGNED_IDENTITY_NAME}"`, "needs: a login", "risk: none",
		"undo: az identity delete", "by hand: Azure is left to others", "Stage translate", "2. Add clientID.", "add spec.parameters.clientID",
		"Stage cleanup", "cannot be undone", "do: Ask the board.\n      Wait.", "2 found = 0 translated + 0 needs-decision + 1 blocked + 1 not-in-use; 3 steps.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestHTMLHasEverything: so does the page, where nothing is taken for markup.
func TestHTMLHasEverything(t *testing.T) {
	t.Parallel()
	page, err := report.HTML(sample())
	if err != nil {
		t.Fatal(err)
	}
	text := visible(t, page)
	for _, want := range []string{
		"Read from the folder deploy", "it is <odd> & shared", "unshare it", "about the whole", "Which name?", "orders-2", "any other name",
		"Make the identity.", `az identity create --name "${USER_ASSIGNED_IDENTITY_NAME}"`, "a login", "az identity delete",
		"Azure is left to others", "add spec.parameters.clientID", "cannot be undone", "stays as it is", "Ask the board. Wait.",
		"2 found = 0 translated + 0 needs-decision + 1 blocked + 1 not-in-use",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestHTMLLoadsNothing: no element of the page refers to anything outside of it, and none runs a script.
func TestHTMLLoadsNothing(t *testing.T) {
	t.Parallel()
	page, err := report.HTML(sample())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "url(") || strings.Contains(string(page), "@import") {
		t.Error("the styles load something")
	}
	elements := 0
	walk(parse(t, page), func(n *html.Node) {
		elements++
		switch n.Data {
		case "script", "link", "img", "iframe", "object", "embed", "video", "audio", "source", "base", "form":
			t.Errorf("there is a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if (a.Key == "href" || a.Key == "src") && !strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	})
	if elements < 50 {
		t.Errorf("only %d elements were looked at", elements)
	}
}

func parse(t *testing.T, page []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// walk visits every element.
func walk(n *html.Node, visit func(*html.Node)) {
	for child := range n.Descendants() {
		if child.Type == html.ElementNode {
			visit(child)
		}
	}
}

// visible is the text of the page, runs of white space being one blank.
func visible(t *testing.T, page []byte) string {
	t.Helper()
	var b strings.Builder
	for n := range parse(t, page).Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
