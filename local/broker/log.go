package broker

import (
	"context"
	"errors"
	"log/slog"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// quiet passes only errors on: mochi logs each connection at lower levels.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError && q.Handler.Enabled(ctx, l)
}
func (q quiet) WithAttrs(as []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(as)} }
func (q quiet) WithGroup(name string) slog.Handler    { return quiet{q.Handler.WithGroup(name)} }

// sizes logs that a client was disconnected because it published too large a message.
type sizes struct {
	mqtt.HookBase
	log *slog.Logger
}

func (*sizes) ID() string              { return "sizes" }
func (*sizes) Provides(hook byte) bool { return hook == mqtt.OnDisconnect }

func (h *sizes) OnDisconnect(c *mqtt.Client, err error, _ bool) {
	if errors.Is(err, packets.ErrPacketTooLarge) {
		h.log.Warn("the broker disconnects a client: it published a message that is too large", "client", c.ID, "most_bytes", maxPacket)
	}
}
