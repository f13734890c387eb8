package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// recalibrator is a sensor that can be recalibrated to a known CO2 content.
type recalibrator interface {
	driver.Reader
	Recalibrate(ctx context.Context, ppm int) (correction int, err error)
}

// warmUp is how long a sensor measures before it is recalibrated.
const warmUp = 3*time.Minute + 10*time.Second

// Recalibrate lets the sensor of a device measure for three minutes, and then
// recalibrates it to ppm of CO2, the content of the air around it. Progress goes to w.
func Recalibrate(ctx context.Context, w io.Writer, sensors []driver.Sensor, m *driver.Machine, device string, ppm int) error {
	i := slices.IndexFunc(sensors, func(s driver.Sensor) bool { return s.Device == device })
	if i < 0 {
		return fmt.Errorf("no sensor has the device %q", device)
	}
	s := sensors[i]
	o, err := s.Open(m)
	if err != nil {
		return err
	}
	defer o.Close()
	r, ok := o.Reader.(recalibrator)
	if !ok {
		return fmt.Errorf("%s is a %s, which is not recalibrated by command", device, s.Kind.Name)
	}
	fmt.Fprintf(w, "measuring for %v: keep %s in air of %d ppm and do not breathe on it\n", warmUp, device, ppm)
	for end := m.Clock.Now().Add(warmUp); m.Clock.Now().Before(end); {
		sample, err := readOnce(ctx, s, o)
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			return fmt.Errorf("measure first: %w", err)
		}
		fmt.Fprintf(w, "%.0f ppm\n", sample.Fields["co2_ppm"])
	}
	correction, err := r.Recalibrate(ctx, ppm)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	fmt.Fprintf(w, "done: %s corrected itself by %+d ppm\n", device, correction)
	return nil
}
