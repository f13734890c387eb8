package deadcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/secret"
)

// Connector is how to reach one.
type Connector struct {
	Address string // its own port as it listens, host:port
	Token   secret.String
	Kept    bool // the user did not give Token for this call, but this machine keeps it: no other receives it
	url     string
}

// letters asks for dead letters.
func (c Connector) letters(ctx context.Context, path string) (ds []deadletter.Letter, err error) {
	body, err := c.ask(ctx, http.MethodGet, path)
	if err == nil {
		if err = json.Unmarshal(body, &ds); err != nil {
			err = fmt.Errorf("read the dead letters: %w", err)
		}
	}
	return ds, err
}

// letter returns the one dead letter with an id, and of a function unless that is "".
func (c Connector) letter(ctx context.Context, id, function string) (deadletter.Letter, error) {
	ds, err := c.letters(ctx, "/dead/"+url.PathEscape(id))
	if r := (refusal{}); errors.As(err, &r) && r.code == http.StatusNotFound || err == nil && len(ds) == 0 {
		err = fmt.Errorf("there is no dead letter %q", id)
	}
	if err != nil {
		return deadletter.Letter{}, err
	}
	var functions []string
	for _, d := range ds {
		if functions = append(functions, printable.Line(d.Function)); d.Function == function {
			return d, nil
		}
	}
	switch {
	case function != "":
		return deadletter.Letter{}, fmt.Errorf("%s has no dead letter %q: %s has", function, id, strings.Join(functions, ", "))
	case len(ds) > 1:
		return deadletter.Letter{}, command.Wrong(fmt.Errorf("several functions rejected %q: add --function with one of %s", id, strings.Join(functions, ", ")))
	}
	return ds[0], nil
}

// order has the connector replay or drop what q picks, and prints what it did.
func (c Connector) order(cmd *cobra.Command, verb string, q url.Values, asJSON bool) error {
	body, err := c.ask(cmd.Context(), http.MethodPost, "/dead/"+verb+"?"+q.Encode())
	var answer map[string]any
	if json.Unmarshal(body, &answer) != nil && err == nil {
		err = fmt.Errorf("the connector's answer is no JSON: %.100q", body)
	}
	switch {
	case asJSON && answer != nil:
		return errors.Join(err, command.WriteJSON(cmd.OutOrStdout(), answer))
	case err != nil:
		return err
	}
	var done struct {
		deadletter.Outcome
		Dropped int `json:"dropped"`
	}
	if err := json.Unmarshal(body, &done); err != nil {
		return fmt.Errorf("read the connector's answer: %w", err)
	}
	if done.Dropped+done.Replayed+done.OnTheWay+done.Cut == 0 {
		return c.none(cmd)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), outcome(verb, done.Dropped, done.Outcome))
	return err
}

// outcome says what became of the letters of an order: in one line, and in one more for
// each reason for which letters were rejected again.
func outcome(verb string, dropped int, o deadletter.Outcome) string {
	if verb == "drop" {
		return "dropped " + command.Count(dropped, "dead letter")
	}
	refused, reasons := 0, ""
	for _, r := range o.Refused {
		refused += r.Letters
		reasons += fmt.Sprintf("\nrejected again (%d): %s", r.Letters, printable.Line(strings.TrimPrefix(r.Function+": "+r.Reason, ": ")))
	}
	text := "replayed " + command.Count(o.Replayed, "dead letter")
	for _, part := range []struct {
		what string
		n    int
	}{
		{"on the way from an earlier replay", o.OnTheWay}, {"not replayed, as only the beginning is kept", o.Cut},
		{"stored", o.Stored}, {"rejected again", refused}, {"not answered yet", o.Waiting},
	} {
		if part.n > 0 {
			text += fmt.Sprintf("; %s: %d", part.what, part.n)
		}
	}
	return text + reasons
}

// none says that no dead letter matched, and how many there are.
func (c Connector) none(cmd *cobra.Command) error {
	ds, err := c.letters(cmd.Context(), "/dead")
	if err != nil {
		return err
	}
	text := "there are no dead letters"
	if len(ds) > 0 {
		text = fmt.Sprintf("no dead letter matches (%d in all)", len(ds))
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}

// refusal is an answer of the connector that is no success.
type refusal struct {
	code int
	text string
}

func (r refusal) Error() string { return fmt.Sprintf("the connector answered %d: %s", r.code, r.text) }

func refused(code int, body []byte) error {
	var answer struct{ Error string }
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		answer.Error = fmt.Sprintf("%.300q", body)
	}
	return refusal{code, printable.Line(answer.Error)}
}

// ask calls the connector's own port at a path.
func (c Connector) ask(ctx context.Context, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token.Reveal())
	res, err := c.client().Do(req)
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // without the URL, which the filters make long
	}
	if err != nil {
		return nil, fmt.Errorf("the connector does not answer, is it running? %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 256<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = refused(res.StatusCode, body)
	}
	return body, err
}

// local turns the address that is listened on into one that can be called.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return listen
	}
	return "127.0.0.1:" + port
}
