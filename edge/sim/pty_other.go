//go:build !linux

package sim

import (
	"context"
	"errors"

	"github.com/hearth-home/hearth/edge/driver"
)

// PTY returns an error: simulated serial ports need Linux.
func PTY(context.Context, string, UART, driver.Clock) (<-chan struct{}, error) {
	return nil, errors.New("simulated serial ports need Linux")
}
