package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
)

func TestSecretObjects(t *testing.T) {
	cases := map[string]struct {
		reason string
		class  string
		change func(*model.Survey, *model.Options)
		syncs  []model.Sync
		ready  bool
		codes  []model.Code
	}{
		"Plain": {
			reason: "type, keys and name stay",
			class:  making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
			syncs:  []model.Sync{{Old: "db", New: "db", Proof: "db-sse"}}, ready: true,
		},
		"NameInsteadOfAlias": {
			reason: "objectName means the alias",
			class:  making(azure("web", "", "objectName: a\nobjectAlias: b"), secretObject("db", "Opaque", "a=password")),
			syncs:  []model.Sync{{Old: "db", New: "db", Proof: "db-sse"}}, codes: []model.Code{"M412"},
		},
		"LastOfAHistory": {
			reason: "what an entry reads of a history is there",
			class:  making(azure("web", "", "objectName: a\nobjectVersionHistory: 2"), secretObject("db", "Opaque", "a/2=old")),
			syncs:  []model.Sync{{Old: "db", New: "db", Proof: "db-sse"}}, ready: true, codes: []model.Code{"M410", "M424"},
		},
		"TLS": {
			reason: "both keys may name the combined value",
			class:  making(azure("web", "", "a"), secretObject("tls", "kubernetes.io/tls", "a=tls.crt", "a=tls.key")),
			syncs:  []model.Sync{{Old: "tls", New: "tls", Proof: "tls-sse"}}, ready: true,
		},
		"TLSWithoutKey": {
			reason: "the API server refuses a TLS Secret without its key",
			class:  making(azure("web", "", "a"), secretObject("tls", "kubernetes.io/tls", "a=tls.crt")),
			syncs:  []model.Sync{{Old: "tls", New: "tls", Proof: "tls-sse"}}, codes: []model.Code{"M414"},
		},
		"TLSOfACertificateAlone": {
			reason: "a cert holds no private key",
			class: making(azure("web", "", "objectName: a\nobjectType: cert", "k"),
				secretObject("tls", "kubernetes.io/tls", "a=tls.crt", "k=tls.key")),
			syncs: []model.Sync{{Old: "tls", New: "tls", Proof: "tls-sse"}}, ready: true, codes: []model.Code{"M415"},
		},
		"KeyOfACertificateAlone": {
			reason: "nor can one be made of it",
			class: making(azure("web", "", "objectName: a\nobjectType: cert"),
				secretObject("tls", "kubernetes.io/tls", "a=tls.crt", "a=tls.key")),
			syncs: []model.Sync{{Old: "tls", New: "tls", Proof: "tls-sse"}}, codes: []model.Code{"M415", "M416"},
		},
		"ServedCertificate": {
			reason: "an Ingress serves an Opaque Secret too",
			class:  making(azure("web", "", "objectName: a\nobjectType: cert"), secretObject("tls", "Opaque", "a=tls.crt")),
			change: func(s *model.Survey, _ *model.Options) {
				s.Readers = []model.Reader{{
					Object: model.Object{Ref: model.Ref{Kind: "Ingress", Namespace: "shop", Name: "web"}},
					Uses:   []model.Use{{Secret: "tls", How: "tls"}},
				}}
			},
			syncs: []model.Sync{{Old: "tls", New: "tls", Proof: "tls-sse"}}, ready: true, codes: []model.Code{"M415"},
		},
		"ServiceAccountToken": {
			reason: "a type that gives rights is not made",
			class:  making(azure("web", "", "a"), secretObject("t", "kubernetes.io/service-account-token", "a=token")),
			syncs:  []model.Sync{{Old: "t", New: "t", Proof: "t-sse"}}, codes: []model.Code{"M414"},
		},
		"UnknownType": {
			reason: "the driver makes Opaque of it",
			class:  making(azure("web", "", "a"), secretObject("t", "example.com/mine", "a=token")),
			syncs:  []model.Sync{{Old: "t", New: "t", Proof: "t-sse"}}, ready: true, codes: []model.Code{"M413"},
		},
		"Foreign": {
			reason: "a Secret that the driver did not make",
			class:  making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
			change: func(s *model.Survey, _ *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				s.Synced[0].Managed = false
			},
			syncs: []model.Sync{{Old: "db", New: "db"}}, codes: []model.Code{"M418"},
		},
		"ForeignAnswered": {
			reason: "a new name is made at once, without proof and hand-over",
			class:  making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
			change: func(s *model.Survey, o *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				s.Synced[0].Managed = false
				o.Decisions = map[string]string{"M418/shop/web/db": "db-2"}
			},
			syncs: []model.Sync{{Old: "db", New: "db-2"}}, ready: true,
		},
		"AnswerThatIsTaken": {
			reason: "an answer may not collide either",
			class:  making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
			change: func(s *model.Survey, o *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				s.Synced[0].Immutable = true
				s.Secrets["shop"] = []string{"other"}
				o.Decisions = map[string]string{"M420/shop/web/db": "other"}
			},
			syncs: []model.Sync{{Old: "db", New: "other"}}, codes: []model.Code{"M423"},
		},
		"Immutable": {
			reason: "nothing can be written to it",
			class:  making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
			change: func(s *model.Survey, _ *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				s.Synced[0].Immutable = true
			},
			syncs: []model.Sync{{Old: "db", New: "db"}}, codes: []model.Code{"M420"},
		},
		"OtherType": {
			reason: "types do not change",
			class:  making(azure("web", "", "a"), secretObject("db", "kubernetes.io/basic-auth", "a=password")),
			change: func(s *model.Survey, _ *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
			},
			syncs: []model.Sync{{Old: "db", New: "db"}}, codes: []model.Code{"M420"},
		},
		"UpperCase": {
			reason: "no legal name of a Secret",
			class:  making(azure("web", "", "a"), secretObject("DB", "Opaque", "a=password")),
			syncs:  []model.Sync{{Old: "DB", New: "DB"}}, codes: []model.Code{"M419"},
		},
		"ProofTaken": {
			reason: "names that are made up may be taken",
			class:  making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
			change: func(s *model.Survey, _ *model.Options) { s.Secrets["shop"] = []string{"db-sse"} },
			syncs:  []model.Sync{{Old: "db", New: "db", Proof: "db-sse"}}, codes: []model.Code{"M421"},
		},
		"Variable": {
			reason: "variables are kept wherever they stand",
			class:  making(azure("web", "", "a"), secretObject("${APP}-db", "Opaque", "a=password")),
			syncs:  []model.Sync{{Old: "${APP}-db", New: "${APP}-db", Proof: "${APP}-db-sse"}}, ready: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, o := mounted(t, tc.class), model.Options{}
			if tc.change != nil {
				tc.change(&s, &o)
			}
			plan, translations := translate.Plan(s, identities(s), o)
			if diff := cmp.Diff(tc.syncs, translations[0].Syncs); diff != "" {
				t.Errorf("%s: syncs (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(append([]model.Code{}, tc.codes...), codes(plan.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", tc.reason, diff)
			}
			if translations[0].Ready != tc.ready || tc.ready != (len(plan.Changes) > 0) {
				t.Errorf("%s: ready %v with %d steps, want ready %v, and steps only then", tc.reason, translations[0].Ready,
					len(plan.Changes), tc.ready)
			}
		})
	}
}
