package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hearth-home/hearth/shared/config"
)

const (
	freshCanary = 7 * time.Minute  // the newest canary in the store may be so old
	freshOutbox = 10 * time.Minute // and the oldest message that is not sent
	pingTime    = 3 * time.Second
)

// ping calls the address of an outside watcher, which tells its owner when the calls stop.
// It calls only while a message from the broker reached the store within the last seven
// minutes, and no message to a person has waited for ten.
func (t *tick) ping(ctx context.Context) error {
	if !t.DeadMan.Present() {
		return nil
	}
	canaries, err := t.st.Latest(ctx, "canary", t.now.Add(-freshCanary))
	if err != nil {
		return err
	}
	if len(canaries) == 0 {
		return fmt.Errorf("not sent: no canary was stored within the last %s", freshCanary)
	}
	oldest, err := t.st.OldestUnsent(ctx, t.sender.Destinations())
	if err != nil {
		return err
	}
	if !oldest.IsZero() && t.now.Sub(oldest) >= freshOutbox {
		return fmt.Errorf("not sent: a message has waited for %s", t.now.Sub(oldest).Round(time.Minute))
	}
	return t.get(ctx, t.DeadMan.Reveal())
}

// get calls an address, which is a secret: no error may quote it.
func (t *tick) get(ctx context.Context, address string) error {
	u, err := config.URL(address)
	if err != nil {
		return errors.New("the secret " + t.DeadMan.Name() + " is not an address such as https://hc-ping.com/…")
	}
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errors.New("the secret " + t.DeadMan.Name() + " is not an address")
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("%s does not answer", u.Host)
	}
	defer a.Body.Close()
	io.Copy(io.Discard, io.LimitReader(a.Body, 1<<16)) // so that the connection is used again
	if a.StatusCode >= 300 {
		return fmt.Errorf("%s answered %s", u.Host, a.Status)
	}
	return nil
}
