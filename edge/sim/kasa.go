package sim

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kasa is a TP-Link plug, or a strip if it has sockets. Its faults: NACK makes it return
// errors, or end its KLAP sessions; Torn cuts answers, Noise garbles them, Unplugged closes
// connections at once, WarmUp resets the energy counter.
type Kasa struct {
	Faults
	// OldUnits makes the meter report W, V, A and kWh, not mW, mV, mA and Wh.
	OldUnits bool
	// Unmetered removes the meter.
	Unmetered bool

	sockets      int
	clock        driver.Clock
	mu           sync.Mutex
	still        frozen
	power, volts wave
	sessions     map[string]*kasaSession
}

const kasaID = "8006A1B2C3D4E5F60718293A4B5C6D7E8F901234"

var _ = simulate("kasa", simulator{
	device: "desk-plug", settings: []string{"HOST=sim"},
	server: func(seed uint64, clock driver.Clock) server { return NewKasa(0, seed, clock) },
})

// NewKasa returns a plug, or a strip if sockets is not 0.
func NewKasa(sockets int, seed uint64, clock driver.Clock) *Kasa {
	rng := newRand(seed)
	return &Kasa{
		sockets: sockets, clock: clock, power: newWave(rng, 62, 25), volts: newWave(rng, 230, 3),
		sessions: map[string]*kasaSession{},
	}
}

// Serve serves the legacy protocol on addr until ctx ends.
func (k *Kasa) Serve(ctx context.Context, addr string) (at string, done <-chan struct{}, err error) {
	return serve(ctx, addr, func(c net.Conn) {
		for k.legacy(ctx, c) == nil {
		}
	})
}

// legacy answers one query: its length, and its text, of which each byte is XORed with
// the scrambled byte before it.
func (k *Kasa) legacy(ctx context.Context, c net.Conn) error {
	var head [4]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > 4096 { // another protocol: the rest would never come
		return errors.New("the query is too long")
	}
	query := make([]byte, size)
	if _, err := io.ReadFull(c, query); err != nil {
		return err
	}
	for i, key := 0, byte(171); i < len(query); i++ {
		query[i], key = query[i]^key, query[i]
	}
	hit := k.nextFrame()
	if hit&Unplugged != 0 {
		return io.EOF
	}
	if hit&Slow != 0 {
		if err := k.clock.Wait(ctx, slowDelay); err != nil {
			return err
		}
	}
	answer := k.iot(query, hit)
	if hit&Noise != 0 {
		answer = []byte("{\"system\":\x00\xfe")
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(answer)))
	key := byte(171)
	for _, b := range answer {
		key ^= b
		out = append(out, key)
	}
	if hit&Torn != 0 {
		c.Write(out[:len(out)/2])
		return io.EOF
	}
	_, err := c.Write(out)
	return err
}

type object = map[string]any

// iot answers the old commands.
func (k *Kasa) iot(query []byte, hit Fault) []byte {
	var q struct {
		Context struct {
			Children []string `json:"child_ids"`
		} `json:"context"`
		System, Emeter json.RawMessage
	}
	if err := json.Unmarshal(query, &q); err != nil {
		return []byte(`{"err_code":-10,"err_msg":"json parse error"}`)
	}
	answer := object{}
	if q.System != nil {
		answer["system"] = object{"get_sysinfo": k.sysinfo(hit)}
	}
	if q.Emeter != nil {
		n := 0
		for i := range k.sockets {
			if len(q.Context.Children) == 1 && q.Context.Children[0] == fmt.Sprintf("%s%02d", kasaID, i) {
				n = i
			}
		}
		answer["emeter"] = object{"get_realtime": k.meter(n, hit)}
	}
	b, _ := json.Marshal(answer) // plain values always encode
	return b
}

func (k *Kasa) sysinfo(hit Fault) object {
	if hit&NACK != 0 {
		return object{"err_code": -3, "err_msg": "not ready"}
	}
	info := object{
		"err_code": 0, "alias": "desk", "model": "KP115(EU)", "deviceId": kasaID, "feature": "TIM:ENE",
		"relay_state": 1, "on_time": 3600, "rssi": -58, "sw_ver": "1.0.20", "mac": "02:00:00:00:00:01",
	}
	if k.Unmetered {
		info["feature"] = "TIM"
	}
	if k.sockets > 0 {
		var children []object
		for i := range k.sockets {
			children = append(children, object{
				"id": fmt.Sprintf("%02d", i), "alias": fmt.Sprintf("plug %d", i+1), "state": (i + 1) % 2, "on_time": 60 * i,
			})
		}
		info["children"], info["child_num"], info["model"] = children, k.sockets, "HS300(EU)"
		delete(info, "relay_state")
	}
	return info
}

// values returns the values of a socket, in W, V, A and kWh.
func (k *Kasa) values(n int, hit Fault) (watts, volts, amperes, kwh float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.still.time(k.clock.Now(), &k.Faults)
	watts, volts = k.power.orHigh(2950, &k.Faults, t)/float64(n+1), k.volts.at(t)
	kwh = float64(t.Unix()-1_700_000_000) / 3600 * 0.062
	if hit&WarmUp != 0 {
		kwh = 0.001
	}
	return watts, volts, watts / volts, kwh
}

func (k *Kasa) meter(n int, hit Fault) object {
	if k.Unmetered || hit&NACK != 0 {
		return object{"err_code": -1, "err_msg": "module not support"}
	}
	w, v, a, kwh := k.values(n, hit)
	if k.OldUnits {
		return object{"power": w, "voltage": v, "current": a, "total": kwh, "err_code": 0}
	}
	return object{
		"power_mw": int(w * 1000), "voltage_mv": int(v * 1000), "current_ma": int(a * 1000), "total_wh": int(kwh * 1000), "err_code": 0,
	}
}

// smart answers the new commands.
func (k *Kasa) smart(query []byte, hit Fault) []byte {
	var q struct {
		Method string
		Params struct {
			DeviceID    string `json:"device_id"`
			RequestData struct{ Method string }
		}
	}
	json.Unmarshal(query, &q) // a query without a method is refused below
	var answer object
	if q.Method == "control_child" {
		var n int
		fmt.Sscanf(strings.TrimPrefix(q.Params.DeviceID, kasaID), "%d", &n)
		answer = object{"error_code": 0, "result": object{"responseData": k.call(q.Params.RequestData.Method, n, hit)}}
	} else {
		answer = k.call(q.Method, 0, hit)
	}
	b, _ := json.Marshal(answer) // plain values always encode
	return b
}

func (k *Kasa) call(method string, n int, hit Fault) object {
	ok := func(result any) object { return object{"error_code": 0, "result": result} }
	w, v, a, kwh := k.values(n, hit)
	switch {
	case method == "get_device_info":
		return ok(object{"device_id": kasaID, "nickname": "ZGVzaw==", "model": "P110", "device_on": true, "on_time": 3600, "rssi": -51})
	case method == "get_child_device_list" && k.sockets > 0:
		var list []object
		for i := range k.sockets {
			list = append(list, object{
				"device_id": fmt.Sprintf("%s%02d", kasaID, i), "position": i + 1,
				"nickname": "cGx1Zw==", "device_on": i%2 == 0, "on_time": 60 * i,
			})
		}
		return ok(object{"child_device_list": list, "start_index": 0, "sum": k.sockets})
	case method == "get_emeter_data" && !k.Unmetered && !k.OldUnits:
		return ok(object{"power_mw": int(w * 1000), "voltage_mv": int(v * 1000), "current_ma": int(a * 1000), "energy_wh": int(kwh * 1000)})
	case method == "get_energy_usage" && !k.Unmetered:
		return ok(object{"current_power": int(w * 1000), "today_energy": 412, "month_energy": 9120})
	}
	return object{"error_code": -1002}
}
