package host

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
)

const (
	cpuDir     = "sys/devices/system/cpu"
	cpufreqDir = cpuDir + "/cpufreq"
)

// cpuTimes are the processors' times since boot, in ticks.
type cpuTimes struct{ busy, all float64 }

// usage reports the processors' average usage since the last Read.
func (d *dev) usage(s *driver.Sample) {
	now, ok := parseCPU(d.text("proc/stat"))
	last := d.cpu
	if !ok {
		return
	}
	d.cpu = now
	if all := now.all - last.all; last.all > 0 && all > 0 && now.busy >= last.busy {
		s.Fields["cpu_usage_percent"] = math.Round(min((now.busy-last.busy)/all, 1)*1000) / 10
	}
}

// parseCPU parses the first line of /proc/stat: user, nice, system, idle, iowait, irq,
// softirq, steal. The columns after these are already included in user.
func parseCPU(text string) (t cpuTimes, ok bool) {
	line, _, _ := strings.Cut(text, "\n")
	f := strings.Fields(line)
	if len(f) < 5 || f[0] != "cpu" {
		return t, false
	}
	for i, v := range f[1:min(len(f), 9)] {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return t, false
		}
		t.all += float64(n)
		if i != 3 && i != 4 {
			t.busy += float64(n)
		}
	}
	return t, true
}

// frequency reports the processor's frequency: the mean, and those of its little and big
// cores if it has both. Linux has a policy for the cores that change their frequency
// together, named after the first: policy0, policy4 and policy6 of an RK3588.
func (d *dev) frequency(s *driver.Sample) {
	policies := inOrder(d.list(cpufreqDir), "policy")
	hertz := map[string]float64{}
	for _, policy := range policies {
		if kHz, ok := d.number(cpufreqDir, policy, "scaling_cur_freq"); ok {
			hertz[policy] = kHz * 1000
		}
	}
	mean := func(key string, of []string) {
		var sum, n float64
		for _, policy := range of {
			if hz, ok := hertz[policy]; ok {
				sum, n = sum+hz, n+1
			}
		}
		if n > 0 {
			s.Fields[key] = sum / n
		}
	}
	mean("cpu_frequency_hertz", policies)
	little, big := d.littleAndBig(policies)
	if len(little) == 0 || len(big) == 0 {
		return
	}
	mean("little_core_frequency_hertz", little)
	for i, cluster := range big {
		part := "big_core"
		if len(big) > 1 {
			part = fmt.Sprintf("big_core_%d", i)
		}
		mean(part+"_frequency_hertz", cluster)
	}
}

// littleAndBig returns the policies of the little cores and those of each cluster of big
// cores. Both are empty if all cores are equal.
func (d *dev) littleAndBig(policies []string) (little []string, big [][]string) {
	if atoms := d.text("sys/devices/cpu_atom/cpus"); atoms != "" { // Intel's processors with efficient cores: a policy for each core
		var fast []string
		for _, policy := range policies {
			if n, _ := numberOf(policy, "policy"); inList(atoms, n) {
				little = append(little, policy)
			} else {
				fast = append(fast, policy)
			}
		}
		return little, [][]string{fast}
	}
	const most = 4
	if len(policies) < 2 || len(policies) > most {
		return nil, nil
	}
	if last, _ := numberOf(policies[len(policies)-1], "policy"); last < len(policies) {
		return nil, nil // a policy for each core
	}
	speeds := map[string]float64{}
	slowest, fastest := math.Inf(1), 0.0
	for _, policy := range policies {
		speeds[policy] = d.speed(policy)
		slowest, fastest = min(slowest, speeds[policy]), max(fastest, speeds[policy])
	}
	if slowest == fastest && fastest > 0 {
		return nil, nil
	}
	for i, policy := range policies {
		if slowest == fastest && i == 0 || slowest < fastest && speeds[policy] == slowest { // of unknown speed: the first
			little = append(little, policy)
		} else {
			big = append(big, []string{policy})
		}
	}
	return little, big
}

// speed returns how fast the cores of a policy are, in a unit of its own; 0 if it is not
// known.
func (d *dev) speed(policy string) float64 {
	n, _ := numberOf(policy, "policy")
	if v, ok := d.number(cpuDir, fmt.Sprintf("cpu%d", n), "cpu_capacity"); ok {
		return v
	}
	v, _ := d.number(cpufreqDir, policy, "cpuinfo_max_freq")
	return max(v, 0)
}

// inList reports whether a list of Linux as in 0-3,8 contains n.
func inList(list string, n int) bool {
	for span := range strings.SplitSeq(list, ",") {
		from, to, ok := strings.Cut(span, "-")
		if !ok {
			to = from
		}
		i, err := strconv.Atoi(from)
		j, err2 := strconv.Atoi(to)
		if err == nil && err2 == nil && i <= n && n <= j {
			return true
		}
	}
	return false
}

// cores reports how many cores the processors have. Threads of one core count once.
func (d *dev) cores(s *driver.Sample) {
	cores := map[string]bool{}
	for _, cpu := range inOrder(d.list(cpuDir), "cpu") {
		if threads := cmp.Or(d.text(cpuDir, cpu, "topology/core_cpus_list"), d.text(cpuDir, cpu, "topology/thread_siblings_list")); threads != "" {
			cores[threads] = true
		}
	}
	if len(cores) > 0 {
		s.Fields["cpu_cores"] = float64(len(cores))
	}
}
