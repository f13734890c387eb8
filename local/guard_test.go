package local

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	sensors "github.com/hearth-home/hearth/functions/sensors"
	"github.com/hearth-home/hearth/local/host"
)

// listening returns the addresses at which this process listens.
func listening(t *testing.T) (addresses []string) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("there is no /proc here")
	}
	inodes := map[string]bool{}
	for _, fd := range fds {
		if to, _ := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); strings.HasPrefix(to, "socket:[") {
			inodes[strings.Trim(to, "socket:[]")] = true
		}
	}
	for _, file := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // no IPv6 here
		}
		for _, line := range strings.Split(string(b), "\n") {
			// The columns: number, local address as hex, remote address, state (0A: listening),
			// four others, user, timeout, inode. https://docs.kernel.org/networking/proc_net_tcp.html
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !inodes[f[9]] {
				continue
			}
			var port int
			if _, err := fmt.Sscanf(f[1][strings.LastIndexByte(f[1], ':')+1:], "%X", &port); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(f[1], "0100007F:") {
				t.Errorf("port %d is not on 127.0.0.1: %s", port, f[1])
			}
			addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
		}
	}
	return addresses
}

// send sends a raw HTTP request and returns its status code, 0 if there is no HTTP answer.
func send(t *testing.T, address, request string) int {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil { // a port that says nothing is no web server
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		return 0
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// A page in the user's browser can reach each port of this machine.
func TestNoPortAnswersAPageOfAnotherSite(t *testing.T) {
	upstream, keys := upstream(t)
	root := repository(t)
	write(t, filepath.Join(root, "stack.yml"), strings.Replace(tinyStack, "  absent:", strings.SplitAfter(mqttStack, "functions:\n")[1]+"  absent:", 1))
	others := map[string]bool{}
	for _, address := range listening(t) {
		others[address] = true // the test's own servers
	}
	r := launchWith(t, map[string]host.Builder{"weather": newTiny, "sensors": host.Transform(sensors.New)}, root, "TINY_KEY=real-key-1", "TINY_URL="+upstream, "EDGE=")
	r.settled()
	next(t, keys) // of the run at the start
	received := make(chan string, 10)
	c := client(t, r.mqttURL)
	done(t, c.Subscribe("evil/#", 0, func(_ mqtt.Client, m mqtt.Message) { received <- m.Topic() }))

	functions := map[string]string{r.server.Addr: "/function/weather", r.admin: "/metrics"}
	for _, f := range r.host.Functions() {
		functions[f.URL.Host] = "/"
	}
	found := 0
	for _, address := range listening(t) {
		if others[address] {
			continue
		}
		path := functions[address]
		if path != "" {
			found++
		}
		for name, header := range map[string]string{
			"a form of another site":         "Host: " + address + "\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site",
			"an older browser":               "Host: " + address + "\r\nOrigin: https://evil.example",
			"a sandboxed frame":              "Host: " + address + "\r\nOrigin: null",
			"a page of another local port":   "Host: " + address + "\r\nOrigin: http://127.0.0.1:3000\r\nSec-Fetch-Site: same-site",
			"a name that points to this one": "Host: evil.example:80\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin",
		} {
			body := "\x10\x0e\x00\x04MQTT\x04\x02\x00<\x00\x02ab" + "\x30\x0a\x00\x06evil/xhi" // CONNECT and PUBLISH
			code := send(t, address, fmt.Sprintf("POST %s HTTP/1.1\r\n%s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", "/"+strings.TrimPrefix(path, "/"), header, len(body), body))
			if code/100 == 2 || path != "" && code != http.StatusForbidden && code != http.StatusMisdirectedRequest {
				t.Errorf("%s%s: %s was answered with %d", address, path, name, code)
			}
		}
		if code := send(t, address, "GET "+"/"+strings.TrimPrefix(path, "/")+" HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"); code/100 == 2 {
			t.Errorf("%s%s: a script of evil.example can read it", address, path)
		}
	}
	if found != len(functions) {
		t.Errorf("%d of %d ports were found", found, len(functions))
	}
	if a := r.invoke("?dry_run=true"); a.Status != "dry_run" { // the way through the gateway is open
		t.Errorf("the user's own call: %+v", a)
	}
	if code := send(t, r.server.Addr, "POST /function/weather?dry_run=true HTTP/1.1\r\nHost: "+r.server.Addr+"\r\nOrigin: http://"+r.server.Addr+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); code != http.StatusOK {
		t.Errorf("the page's own call by an older browser: %d", code)
	}
	if next(t, keys); len(keys) != 1 {
		t.Errorf("the upstream was called %d times, want once for each of the user's calls", 1+len(keys))
	}
	done(t, c.Publish("evil/end", 0, false, "x"))
	if topic := <-received; topic != "evil/end" {
		t.Errorf("a page published at %s", topic)
	}
}
