// Package critic has turns written by an OpenAI-compatible chat server that already runs on this machine: llama-server,
// Ollama, vLLM, LM Studio. It connects to the loopback address that it is given and to nothing else.
package critic

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// defaultPath is where servers have their chat, where an address names no path.
const defaultPath = "/v1"

// ParseAddress reads the address of a server, as http://127.0.0.1:8080/v1. Its error says what is wrong with the text, and
// follows it in a sentence.
func ParseAddress(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("must be the address of a server on this machine, such as http://127.0.0.1:8080/v1")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("must have no name, password, query or fragment: only http://HOST:PORT/PATH")
	}
	if host := u.Hostname(); !slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, strings.ToLower(host)) {
		return nil, fmt.Errorf("leads to the host %s, and prompts and answers stay on this machine: the host must be 127.0.0.1, [::1] or localhost", host)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = defaultPath
	}
	return u, nil
}

// errElsewhere refuses a connection that would leave the machine.
var errElsewhere = errors.New("the name does not lead to this machine")

// onlyHere refuses an address that is not a loopback one: a name may lead anywhere.
func onlyHere(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("%s: %w", address, errElsewhere)
	}
	return nil
}

// newClient makes a client that asks no proxy, follows no redirect and leaves the machine by no name. A request may take as
// long as patience.
func newClient(patience time.Duration) *http.Client {
	const idle = 64 // connections that are kept for later requests
	dialer := net.Dialer{Control: onlyHere}
	return &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: idle, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
