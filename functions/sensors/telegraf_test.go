package function

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

func TestTelegraf(t *testing.T) {
	for name, tc := range map[string]struct {
		topic, payload string
		want           []string
		reason         string
	}{
		"json": {"telegraf/nas", `{"fields":{"usage_idle":92.5,"usage_user":5,"note":"x"},"name":"cpu","tags":{"cpu":"cpu-total","host":"nas"},"timestamp":1795435200}`,
			[]string{"host,device=nas cpu_usage_percent=7.5" + at}, ""},
		"json_batch": {"telegraf/nas", `{"metrics":[{"fields":{"free":7},"name":"disk","tags":{"path":"/","host":"nas"},"timestamp":1795435200},{"fields":{"free":8},"name":"disk","tags":{"path":"/mnt/data","host":"nas"},"timestamp":1795435200}]}`,
			[]string{"host,device=nas mnt_data_disk_free_bytes=8,root_disk_free_bytes=7" + at}, ""},
		"lines": {"telegraf/pfsense", "net,host=pfsense,interface=igb0 bytes_recv=100i,bytes_sent=7i,x=\"a b, c\" 1795435200000000000\nsystem,host=pfsense load1=0.5 1795435200000000000\n",
			[]string{"host,device=pfsense igb0_received_bytes=100,igb0_sent_bytes=7,load_1m=0.5" + at}, ""},
		"gpu": {"telegraf/ml", "nvidia_smi,host=ml,index=1,name=RTX\\ 3090 power_draw=361.2,clocks_current_graphics=1905i 1795435200000000000",
			[]string{"host,device=ml gpu_1_frequency_hertz=1905000000,gpu_1_power_watts=361.2" + at}, ""},
		"allowed": {"telegraf/switch", "snmp,host=poller,source=switch,ifName=ge-0 ifInErrors=3i 1795435200000000000",
			[]string{"telegraf,device=switch snmp_ge_0_if_in_errors=3" + at}, ""},
		"not_allowed": {"telegraf/x", "pf,host=x entries=3i 1795435200000000000", nil, "no mapping for Telegraf's pf: TELEGRAF_ALLOW may let it in"},
		"no_telegraf": {"telegraf/x", "pf,host= entries=3i", nil, "no mapping for topic telegraf/x"},
		"escapes": {"telegraf/x", `disk,host=my\ nas,path=/mnt/a\,b\=c free=7i 1795435200000000000`,
			[]string{"host,device=my-nas mnt_a_b_c_disk_free_bytes=7" + at}, ""},
		"a_text_with_line_ends": {"telegraf/nas", "system,host=nas note=\"a\nb x=1, \\\"c\\\" \\\\\",load1=0.5 1795435200000000000\r\nsystem,host=nas load5=0.25 1795435200000000000\r\n",
			[]string{"host,device=nas load_1m=0.5,load_5m=0.25" + at}, ""},
		"kinds_of_numbers": {"telegraf/nas", "system,host=nas load1=1u,load5=-0,load15=2.5e0,uptime=86400i 1795435200000000000\nsnmp,host=nas up=true,down=F 1795435200000000000",
			[]string{"host,device=nas load_15m=2.5,load_1m=1,load_5m=0,uptime_seconds=86400" + at, "telegraf,device=nas snmp_down=0,snmp_up=1" + at}, ""},
		"seconds":      {"telegraf/nas", "system,host=nas load1=1 1795435200", []string{"host,device=nas load_1m=1" + at}, ""},
		"milliseconds": {"telegraf/nas", "system,host=nas load1=1 1795435200000", []string{"host,device=nas load_1m=1" + at}, ""},
		"microseconds": {"telegraf/nas", "system,host=nas load1=1 1795435200000000", []string{"host,device=nas load_1m=1" + at}, ""},
		"no_time":      {"telegraf/nas", "\n# a comment\n system,host=nas load1=1 ", []string{"host,device=nas load_1m=1" + at}, ""},
		"one_bad_line_of_three": {"telegraf/nas", "system,host=nas load1=1 1795435200\nsystem,host=nas load5=?\nsystem,host=nas load15=3 1795435200",
			[]string{"host,device=nas load_15m=3,load_1m=1" + at}, `line 2: not line protocol: the field "load5" is ?`},
		"an_open_quote": {"telegraf/nas", "system,host=nas load1=1 1795435200\nsystem,host=nas x=\"open\nsystem,host=nas load15=3 1795435200",
			[]string{"host,device=nas load_15m=3,load_1m=1" + at}, `line 2: not line protocol: the field "x" has no value`},
		"one_bad_metric_of_three": {"telegraf/nas", ` {"metrics":[{"fields":{"load1":1},"name":"system","tags":{"host":"nas"},"timestamp":1795435200},{"fields":{"load5":1e999},"name":"system","tags":{"host":"nas"},"timestamp":1795435200},{"fields":{"load15":3},"name":"system","tags":{"host":"nas"},"timestamp":"2026-11-23T12:00:00Z"}]}`,
			[]string{"host,device=nas load_15m=3,load_1m=1" + at}, "metric 1 has no name, fields and timestamp as Telegraf writes them"},
		"no_value":             {"telegraf/nas", "system,host=nas load1=nan,load5=-Inf,load15=null,uptime=7i 1795435200", []string{"host,device=nas uptime_seconds=7" + at}, ""},
		"no_value_at_all":      {"telegraf/nas", "system,host=nas load1=nan 1795435200\nsystem,host=nas uptime_format=\"1 day\" 1795435200", nil, ""},
		"a_field_with_a_slash": {"telegraf/x", "snmp,host=x if/in=3i 1795435200", []string{"telegraf,device=x snmp_if_in=3" + at}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, batchtest.SQLite(t), "TELEGRAF_ALLOW", "snmp.*,a.b")
			a := f.Post(t, message(0, tc.topic, tc.payload))
			if reasons(a) != tc.reason {
				t.Errorf("rejected %+v, want %q", a.Rejected, tc.reason)
			}
			same(t, "readings", f.Lines(t, measurements...), append([]string{}, tc.want...))
		})
	}
}

// TestTelegrafOnWindows has counters as Telegraf names them in its example for Windows.
func TestTelegrafOnWindows(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	a := f.Post(t, message(0, "telegraf/pc", strings.ReplaceAll(`win_cpu,host=PC,instance=_Total,objectname=Processor Percent_DPC_Time=0,Percent_Idle_Time=92.5,Percent_Processor_Time=7.5,Percent_User_Time=5 T
win_cpu,host=PC,instance=3,objectname=Processor Percent_Processor_Time=2.4 T
win_cpu,host=PC,instance=0\,_Total,objectname=Processor\ Information Percent_Processor_Time=9 T
win_mem,host=PC,objectname=Memory Available_Bytes=8589934592,Cache_Faults_persec=3,Standby_Cache_Core_Bytes=5 T
win_system,host=PC,objectname=System Context_Switches_persec=1388.9,Processor_Queue_Length=0,System_Calls_persec=2906,System_Up_Time=86400 T
win_disk,host=PC,instance=C:,objectname=LogicalDisk Current_Disk_Queue_Length=0,Free_Megabytes=1024,Percent_Free_Space=25,Percent_Disk_Time=1 T
win_disk,host=PC,instance=_Total,objectname=LogicalDisk Free_Megabytes=4096,Percent_Free_Space=50 T
win_diskio,host=PC,instance=0\ C:\ D:,objectname=PhysicalDisk Disk_Read_Bytes_persec=512,Disk_Write_Bytes_persec=1024,Percent_Disk_Time=2 T
win_diskio,host=PC,instance=1,objectname=PhysicalDisk Disk_Read_Bytes_persec=7 T
win_net,host=PC,instance=Intel[R]\ Ethernet\ I219-V,objectname=Network\ Interface Bytes_Received_persec=100.5,Bytes_Sent_persec=7,Packets_Sent_persec=1 T
win_swap,host=PC,instance=_Total,objectname=Paging\ File Percent_Usage=3 T
`, " T", at)))
	if reasons(a) != "" {
		t.Errorf("rejected %+v", a.Rejected)
	}
	same(t, "readings", f.Lines(t, "host"), []string{"host,device=pc c_disk_free_bytes=1073741824,c_disk_usage_percent=75,c_read_bytes_per_second=512,c_written_bytes_per_second=1024,cpu3_usage_percent=2.4,cpu_usage_percent=7.5," +
		"disk_1_read_bytes_per_second=7,intel_r_ethernet_i219_v_received_bytes_per_second=100.5,intel_r_ethernet_i219_v_sent_bytes_per_second=7,memory_available_bytes=8589934592,uptime_seconds=86400" + at})
}

// Telegraf sends each metric as a message of its own, unless it is told otherwise. Metrics
// of a computer that say nothing of it which is stored are no dead letters.
func TestMetricsOfAComputerInMessagesOfTheirOwn(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for _, metric := range []string{
		"temp,host=pc,sensor=coretemp_physicalid0_crit temp=100", "temp,host=pc,sensor=coretemp_physicalid0_input temp=50", "sensors,host=pc,chip=nct6775-isa-0290,feature=in0 in_input=1.2",
		"mem,host=pc swap_free=1i", "sensors,host=pc,chip=nct6775-isa-0290,feature=fan2 fan2_input=842,fan2_min=0", "win_disk,host=pc,instance=_Total Percent_Free_Space=50", "sensors,host=pc,chip=nvme-pci-0100,feature=composite temp_input=40",
		"sensors,host=pc,chip=nvme-pci-0300,feature=composite temp_input=45", "sensors,host=other,chip=nvme-pci-0300,feature=composite temp_input=30", "smart_device,host=pc,device=sda health_ok=true",
		"hddtemp,source=pc,unit=C,device=sdb,model=WDC temperature=43i", "smartctl,host=pc,name=/dev/sda,type=sat temperature=33i",
		"amd_rocm_smi,gpu_id=0x6861,host=pc,name=card0 clocks_current_memory=167i,clocks_current_sm=852i,memory_total=17163091968i,memory_used=17809408i,power_draw=7,temperature_sensor_edge=28,temperature_sensor_junction=29,temperature_sensor_memory=92,utilization_gpu=3i",
	} {
		if a := f.Post(t, message(0, "telegraf/x", metric+at)); reasons(a) != "" {
			t.Errorf("%s: rejected %+v", metric, a.Rejected)
		}
	}
	same(t, "readings", f.Lines(t, "host"), []string{"host,device=other nvme_temperature_celsius=30" + at,
		"host,device=pc amd_gpu_frequency_hertz=852000000,amd_gpu_junction_temperature_celsius=29,amd_gpu_memory_temperature_celsius=92,amd_gpu_memory_total_bytes=17163091968,amd_gpu_memory_used_bytes=17809408,amd_gpu_power_watts=7,amd_gpu_temperature_celsius=28,amd_gpu_usage_percent=3," +
			"cpu_temperature_celsius=50,nct6775_2_fan_rpm=842,nvme_1_temperature_celsius=45,nvme_temperature_celsius=40,sda_temperature_celsius=33,sdb_temperature_celsius=43" + at})
}
