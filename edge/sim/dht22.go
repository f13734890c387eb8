package sim

import (
	"fmt"
	"syscall"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// DHT22 is a DHT22 behind the kernel's iio driver, which returns the same sample for two
// seconds. Its faults: BadCRC makes it fail with EIO, NACK with ETIMEDOUT, WarmUp returns
// outliers as old kernels do.
type DHT22 struct {
	Faults
	*Files
	clock     driver.Clock
	temp, hum wave
	still     frozen
	at        time.Time
	milli     [2]int
	err       error
}

// dht22Name is the name of the device in iio.
const dht22Name = "dht11@4"

var _ = simulate("dht22", simulator{
	device: "cellar-climate",
	files:  func(seed uint64, clock driver.Clock) files { return files{fs: NewDHT22(seed, clock)} },
})

// NewDHT22 returns the files of a sensor at iio:device1. iio:device0 is another chip.
func NewDHT22(seed uint64, clock driver.Clock) *DHT22 {
	rng := newRand(seed)
	d := &DHT22{
		Files: NewFiles(), clock: clock,
		temp: newWave(rng, 21, 2.5), hum: newWave(rng, 48, 9),
	}
	const dir = "sys/bus/iio/devices/iio:device1/"
	d.Put("sys/bus/iio/devices/iio:device0/name", "ads1015\n")
	d.Put(dir+"name", dht22Name+"\n")
	d.make(dir+"in_temp_input", func() (string, error) { return d.value(0) })
	d.make(dir+"in_humidityrelative_input", func() (string, error) { return d.value(1) })
	return d
}

func (d *DHT22) value(i int) (string, error) {
	if now := d.clock.Now(); d.at.IsZero() || now.Sub(d.at) >= 2*time.Second {
		d.at = now
		d.sample(now)
	}
	if d.err != nil {
		err := d.err
		d.at = time.Time{} // the driver keeps only good samples
		return "", err
	}
	return fmt.Sprintf("%d\n", d.milli[i]), nil
}

func (d *DHT22) sample(now time.Time) {
	hit := d.nextFrame()
	d.err = nil
	switch {
	case hit&NACK != 0:
		d.err = syscall.ETIMEDOUT
		return
	case hit&BadCRC != 0:
		d.err = syscall.EIO
		return
	}
	t := d.still.time(now, &d.Faults)
	d.milli = [2]int{int(d.temp.orHigh(36.5, &d.Faults, t)*10) * 100, int(d.hum.at(t)*10) * 100}
	if hit&WarmUp != 0 {
		d.milli = [2]int{2000, 5000}
	}
}
