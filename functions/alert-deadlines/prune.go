package function

import "context"

// prune deletes alerts that are over and rows of the ledger that nobody needs.
func (t *tick) prune(ctx context.Context) error {
	return t.st.PruneAlerts(ctx, t.now)
}
