package app

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// quietShare is how much of all CPUs others may take while something is measured that is kept for later commands.
const quietShare = 0.1

// cpuMeter says whether the machine was quiet while something was measured.
type cpuMeter struct {
	start    time.Time
	all, own time.Duration // CPU time of the whole machine, and of this process
	ok       bool          // it is known
}

// startMeter begins. Only Linux says how much others compute.
func startMeter() cpuMeter {
	m := cpuMeter{start: time.Now()}
	all, ok := machineTime()
	m.all, m.own, m.ok = all, processTime(), ok
	return m
}

// quiet reports whether others took less than a tenth of the machine since the start. Where that is not known it is false.
func (m cpuMeter) quiet() bool {
	all, ok := machineTime()
	if !ok || !m.ok {
		return false
	}
	others := (all - m.all) - (processTime() - m.own)
	wall := time.Since(m.start) * time.Duration(runtime.NumCPU())
	return others.Seconds() < quietShare*wall.Seconds()
}

// processTime is the CPU time of this process.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// machineTime is the time that CPUs were not idle: user, nice, system, irq, softirq and steal of /proc/stat's first line,
// in hundredths of a second. A guest's time counts as user time already.
func machineTime() (time.Duration, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	const idle, iowait, last = 4, 5, 8
	if len(fields) <= last || string(fields[0]) != "cpu" {
		return 0, false
	}
	var ticks int64
	for i := 1; i <= last; i++ {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return 0, false
		}
		if i != idle && i != iowait {
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond, true
}
