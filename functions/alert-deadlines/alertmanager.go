package function

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/rules"
)

const (
	maxWebhook  = 4 << 20 // bytes of a call of Alertmanager
	maxAlerts   = 1000    // in it
	webhookTime = 10 * time.Second
	sendTime    = 2 * time.Second
	maxTitle    = 200 // bytes of a name
	maxText     = 600
)

// webhook is what Alertmanager posts, as far as we use it:
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
type webhook struct {
	Alerts *[]foreignAlert `json:"alerts"`
}

type foreignAlert struct {
	Status      string            `json:"status"` // firing, resolved
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"` // of the labels
}

var fingerprint = regexp.MustCompile(`^[0-9a-f]{1,64}$`)

// decodeWebhook returns what a call of Alertmanager says, an observation for each alert. Its
// evidence is of the time at which the alert began or ended, so a call that comes twice or
// late changes nothing.
func decodeWebhook(body []byte, spec alert.Spec) ([]alert.Observation, error) {
	var w webhook
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, fmt.Errorf("decode the webhook: %w", err)
	}
	if w.Alerts == nil || len(*w.Alerts) > maxAlerts {
		return nil, fmt.Errorf("decode the webhook: it has no list of at most %d alerts", maxAlerts)
	}
	var found []alert.Observation
	for i, a := range *w.Alerts {
		o, err := a.observation(spec)
		if err != nil {
			return nil, fmt.Errorf("alert %d: %w", i+1, err)
		}
		found = append(found, o)
	}
	return found, nil
}

func (a foreignAlert) observation(spec alert.Spec) (alert.Observation, error) {
	o := alert.Observation{Key: spec.Rule + "/" + a.Fingerprint, Spec: spec, Verdict: alert.Bad, At: a.StartsAt.UTC()}
	switch {
	case !fingerprint.MatchString(a.Fingerprint):
		return o, fmt.Errorf("%.70q is not a fingerprint", a.Fingerprint)
	case a.Status == "resolved":
		o.Verdict, o.At = alert.Good, a.EndsAt.UTC()
	case a.Status != "firing":
		return o, fmt.Errorf("the status %.70q is neither firing nor resolved", a.Status)
	}
	if o.At.Year() < 2000 || o.At.Year() > 9999 {
		return o, fmt.Errorf("it has no time")
	}
	o.Title = short(cmp.Or(a.Labels["alertname"], spec.Title), maxTitle)
	o.Name = short(cmp.Or(a.Labels["instance"], a.Labels["pod"], a.Labels["node"], a.Labels["namespace"], a.Labels["job"]), maxTitle)
	o.Text = short(cmp.Or(a.Annotations["summary"], a.Annotations["description"], a.Annotations["message"]), maxText)
	o.Next = short(a.Annotations["runbook_url"], maxText)
	switch strings.ToLower(a.Labels["severity"]) {
	case "critical", "page":
		o.Severity = alert.Critical
	case "info", "none":
		o.Severity = alert.Info
	}
	return o, nil
}

// short cuts a text of others, and makes one line of it.
func short(s string, most int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// serveAlertmanager takes a call of Alertmanager. It answers 401 without the token, 400 to
// what is no such call, and 503 if it is to come again.
func (f *function) serveAlertmanager(w http.ResponseWriter, r *http.Request) {
	if !f.authorized(r) {
		http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		http.Error(w, "read the webhook: "+err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), webhookTime)
	defer cancel()
	switch n, bad, err := f.takeWebhook(ctx, body); {
	case bad != nil:
		http.Error(w, f.env.Secrets.Brief(bad.Error(), maxText), http.StatusBadRequest)
	case err != nil:
		f.env.Log.Error("alertmanager", "function", name, "err", err)
		http.Error(w, f.env.Secrets.Brief(err.Error(), maxText), http.StatusServiceUnavailable)
	default:
		f.env.Log.Info("alertmanager", "function", name, "alerts", n)
		fmt.Fprintf(w, "{\"alerts\":%d}\n", n)
	}
}

// takeWebhook applies a call of Alertmanager to the alerts, and sends the messages. bad is
// what is wrong with the call.
func (f *function) takeWebhook(ctx context.Context, body []byte) (n int, bad, err error) {
	now := f.env.Now()
	st, err := f.env.Open(ctx)
	if err != nil {
		return 0, nil, err
	}
	h, set, err := f.loader.Load(ctx, st, now)
	if err != nil {
		return 0, nil, err
	}
	spec, on := set.Spec(rules.Alertmanager, "", "")
	found, bad := decodeWebhook(body, spec)
	if bad != nil || !on {
		return 0, bad, nil
	}
	keys := make([]string, len(found))
	for i := range found {
		keys[i] = found[i].Key
		found[i].Text = f.env.Secrets.Redact(found[i].Text)
	}
	err = st.MoveAlerts(ctx, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		return h.Move(before, found, now)
	})
	if err == nil {
		f.sender.Drain(ctx, st, sendTime, f.env.Now, f.env.Log)
	}
	return len(found), nil, err
}
