package deadcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/secret"
)

// Connector is how to reach one.
type Connector struct {
	Address string // its own port as it listens, host:port
	Token   secret.String
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

// order has the connector replay or drop what q picks, and prints its answer.
func (c Connector) order(cmd *cobra.Command, verb string, q url.Values) error {
	body, err := c.ask(cmd.Context(), http.MethodPost, "/dead/"+verb+"?"+q.Encode())
	if err == nil {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", strings.TrimSpace(string(body)))
	}
	return err
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
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the connector does not answer, is it running? %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 256<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the connector answered %d: %.300s", res.StatusCode, body)
	}
	return body, err
}

// tame keeps foreign text from moving the cursor or beginning a new line.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) {
			return '·'
		}
		return r
	}, s)
}

// local turns the address that is listened on into one that can be called.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return listen
	}
	return "127.0.0.1:" + port
}
