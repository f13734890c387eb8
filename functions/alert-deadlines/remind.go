package function

import (
	"context"

	"github.com/hearth-home/hearth/shared/deadline"
)

// remind queues the reminders that became due.
func (t *tick) remind(ctx context.Context) error {
	return t.queue(ctx, deadline.Reminders(t.file.Reminders, t.house, t.now))
}
