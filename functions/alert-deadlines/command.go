package function

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/action"
	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/why"
)

const commandHelp = "`/hearth status` what fires\n" +
	"`/hearth why DEVICE` how far the messages of a device come, and what to do\n" +
	"`/hearth ack KEY` or `DEVICE` no more reminders until it resolves\n" +
	"`/hearth silence KEY` or `DEVICE` `[1h|30m|2d|morning]` no messages until then\n" +
	"`/hearth maintenance DEVICE` or `room/NAME`, `node/ID`, `bridge/ID` `[2h]` no messages about it and what depends on it\n" +
	"`/hearth unack`, `unsilence`, `endmaintenance` end that\n" +
	"`/hearth drink 250` adds 250 ml to what you drank"

// maxListed is how many alerts /hearth status lists.
const maxListed = 40

// decisions are the commands that do something about alerts.
var decisions = map[string]action.Do{"ack": action.Ack, "unack": action.Unack, "silence": action.Silence, "unsilence": action.Unsilence,
	"maintenance": action.Maintenance, "endmaintenance": action.EndMaintenance}

// command answers /hearth.
func (f *function) command(ctx context.Context, st *store.Store, h *alert.House, k click, now time.Time) (reply, error) {
	k.Text = unescape(k.Text)
	word, rest, _ := strings.Cut(strings.TrimSpace(k.Text), " ")
	rest = strings.TrimSpace(rest)
	switch word = strings.ToLower(word); {
	case word == "status":
		return f.status(ctx, st, h, now)
	case word == "why" && rest != "":
		return f.why(ctx, st, h, rest, now)
	case decisions[word] != "" && rest != "":
		return f.decide(ctx, st, h, k, decisions[word], rest, now)
	case word == "drink":
		return f.drink(ctx, k)
	case word == "" || word == "help":
		return reply{Text: commandHelp}, nil
	case word == "why" || decisions[word] != "":
		return reply{Text: "Which one? `/hearth " + word + " DEVICE`. `/hearth status` lists what fires."}, nil
	}
	return reply{Text: fmt.Sprintf("hearth does not know `%s`.\n%s", escape(word), commandHelp)}, nil
}

// status lists the alerts that fire, the most severe first.
func (f *function) status(ctx context.Context, st *store.Store, h *alert.House, now time.Time) (reply, error) {
	active, err := st.ActiveAlerts(ctx)
	if err != nil {
		return reply{}, err
	}
	open := slices.DeleteFunc(active, func(s alert.State) bool { return !s.Open() })
	if len(open) == 0 {
		return reply{Text: ":large_green_circle: Nothing fires."}, nil
	}
	if h, err = withDates(ctx, st, h, now); err != nil {
		return reply{}, err
	}
	order := []alert.Severity{alert.Critical, alert.Warning, alert.Info}
	for i := range open {
		open[i].Severity = cmp.Or(open[i].Severity, alert.Warning)
	}
	slices.SortStableFunc(open, func(a, b alert.State) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity)), a.Since.Compare(b.Since))
	})
	var out []string
	for _, severity := range order {
		var lines []string
		for _, s := range open[:min(len(open), maxListed)] {
			if s.Severity == severity {
				lines = append(lines, statusLine(h, &s, now))
			}
		}
		if len(lines) > 0 {
			out = append(out, "*"+strings.ToUpper(string(severity[0]))+string(severity[1:])+"*\n"+strings.Join(lines, "\n"))
		}
	}
	if more := len(open) - maxListed; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return reply{Text: strings.Join(out, "\n")}, nil
}

// withDates returns the house with what buttons have set until now.
func withDates(ctx context.Context, st *store.Store, h *alert.House, now time.Time) (*alert.House, error) {
	dates, err := st.UntilDates(ctx, now)
	if err != nil {
		return nil, err
	}
	out := *h
	out.Silences, out.Maintenance = map[string]time.Time{}, maps.Clone(h.Maintenance)
	if out.Maintenance == nil {
		out.Maintenance = map[string]time.Time{}
	}
	for _, u := range dates {
		of := out.Silences
		if u.Kind == store.Maintenance {
			of = out.Maintenance
		}
		if u.Until.After(of[u.Subject]) {
			of[u.Subject] = u.Until
		}
	}
	return &out, nil
}

// statusLine says what fires, since when, what was done about it, and the key to do that by.
func statusLine(h *alert.House, s *alert.State, now time.Time) string {
	line := "• " + escape(cmp.Or(s.Title, s.Rule))
	if of := s.Subject.Label(); of != "" {
		line += ": " + escape(of)
	}
	if !s.Since.IsZero() {
		line += fmt.Sprintf(", since %s (%s)", h.When(s.Since, now), alert.Span(now.Sub(s.Since)))
	}
	if s.Phase == alert.Unknown {
		line += ", without data now"
	}
	if !s.Acked.IsZero() {
		line += ", acknowledged by " + escape(cmp.Or(s.AckedBy, "somebody"))
	}
	if until := h.Quiet(s, now).Muted; until.After(now) {
		line += ", silent until " + h.When(until, now)
	}
	return line + " `" + escape(s.Key) + "`"
}

func (f *function) why(ctx context.Context, st *store.Store, h *alert.House, device string, now time.Time) (reply, error) {
	report, err := why.Device(ctx, st, device, now)
	if errors.Is(err, why.ErrUnknown) {
		return reply{Text: fmt.Sprintf("hearth has no device of the id or name %q.", escape(device))}, nil
	}
	if err != nil {
		return reply{}, err
	}
	report.Zone = h.Zone
	return reply{Text: escape(strings.Join(report.Lines(), "\n"))}, nil
}

// decide does something about an alert, the alerts of a device, or a device, room, node or
// bridge.
func (f *function) decide(ctx context.Context, st *store.Store, h *alert.House, k click, do action.Do, rest string, now time.Time) (reply, error) {
	a := action.Action{Do: do, By: k.User, At: k.At}
	if before, last := cutLast(rest); before != "" && do == action.Silence && last == "morning" {
		a.Do, rest = action.Morning, before
	} else if d, ok := span(last); ok && before != "" && (do == action.Silence || do == action.Maintenance) {
		a.For, rest = d, before
	}
	rest = strings.Trim(rest, "`\"")
	known, err := st.AlertsOf(ctx, []string{rest})
	if err != nil {
		return reply{}, err
	}
	switch _, ok := known[rest]; {
	case ok:
		a.Alert = rest
	case do == action.Maintenance || do == action.EndMaintenance:
		a.Subject, err = subject(ctx, st, rest)
	default:
		a.Device = rest
	}
	if err != nil {
		return reply{}, err
	}
	done, err := action.Apply(ctx, st, h, a, now)
	if err != nil {
		return reply{}, err
	}
	lines := []string{escape(done.Note)}
	if a.Subject != "" {
		lines = append(lines, "• "+escape(a.Subject))
	}
	for _, s := range done.Alerts {
		lines = append(lines, "• "+escape(cmp.Or(s.Title, s.Rule)+": "+s.Subject.Label()))
	}
	return reply{Text: strings.Join(lines, "\n")}, nil
}

// subject returns what maintenance is set for: device/ID of a device's id or name, or
// room/NAME and the others as they are written.
func subject(ctx context.Context, st *store.Store, text string) (string, error) {
	if room, ok := strings.CutPrefix(text, "room/"); ok {
		return "room/" + strings.ToLower(room), nil
	}
	if strings.Contains(text, "/") {
		return text, nil
	}
	devices, err := st.Devices(ctx)
	for _, d := range devices {
		if d.ID == text || strings.EqualFold(d.Name, text) {
			return "device/" + d.ID, err
		}
	}
	return "device/" + text, err
}

// cutLast returns a text without its last word, and that word in lower case.
func cutLast(text string) (before, last string) {
	i := strings.LastIndexByte(text, ' ')
	return strings.TrimSpace(text[:max(i, 0)]), strings.ToLower(text[i+1:])
}

// span parses 30m, 1h or 2d.
func span(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0 && n < 1000
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

// drink passes the command on to the function health, which is another one.
func (f *function) drink(ctx context.Context, k click) (reply, error) {
	body, err := json.Marshal(k)
	if err != nil {
		return reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.Gateway.JoinPath("function", "health", "action").String(), bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+f.Token.Reveal())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("call health: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAction))
	if err != nil {
		return reply{}, fmt.Errorf("call health: %w", err)
	}
	var a reply
	switch {
	case res.StatusCode == http.StatusNotFound:
		return reply{Text: "The function health is not deployed: it keeps what you drink."}, nil
	case res.StatusCode == http.StatusOK && json.Unmarshal(b, &a) == nil:
		return a, nil
	case res.StatusCode >= 500:
		return reply{}, fmt.Errorf("call health: answered %d: %.200q", res.StatusCode, b)
	}
	return reply{Text: fmt.Sprintf("The function health refused this: %s", escape(f.env.Secrets.Brief(string(b), 300)))}, nil
}

// escape keeps text from being read as a link or a mention.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

// unescape is the reverse: Slack escapes the text behind a command.
var unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace
