package llama

// #include "shim.h"
import "C"

// DeviceType is the kind of a device (ggml_backend_dev_type).
type DeviceType string

// The kinds of device. An accelerator works beside the CPU (BLAS); an
// integrated GPU uses main memory.
const (
	DeviceCPU   DeviceType = "CPU"
	DeviceGPU   DeviceType = "GPU"
	DeviceIGPU  DeviceType = "IGPU"
	DeviceAccel DeviceType = "ACCEL"
	DeviceOther DeviceType = "other"
)

// Device is something that can compute, as it was when Devices was called
// (ggml_backend_dev_props). It is a plain value, and stays valid.
type Device struct {
	// Name is short, such as "CPU" or "CUDA0"; Description names the hardware.
	Name, Description string
	Type              DeviceType
	// Backend is the library that drives it, such as "CPU" or "CUDA".
	Backend string
	// MemoryFree and MemoryTotal are in bytes.
	MemoryFree, MemoryTotal uint64
	// Features is what the backend found or was built with, such as AVX2.
	Features []Feature
}

// Feature is a property of a backend, such as AVX2 = 1.
type Feature struct {
	Name, Value string
}

// Devices lists the devices of all backends (ggml_backend_dev_count and _get).
func Devices() ([]Device, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	devices := make([]Device, C.ggml_backend_dev_count())
	for i := range devices {
		c := C.ggml_backend_dev_get(C.size_t(i))
		var props C.struct_ggml_backend_dev_props
		C.ggml_backend_dev_get_props(c, &props)
		devices[i] = Device{
			Name:        C.GoString(props.name),
			Description: C.GoString(props.description),
			Type:        deviceType(C.ggml_backend_dev_type(c)),
			Backend:     C.GoString(C.ggml_backend_reg_name(C.ggml_backend_dev_backend_reg(c))),
			MemoryFree:  uint64(props.memory_free),
			MemoryTotal: uint64(props.memory_total),
			Features:    features(c),
		}
	}
	return devices, nil
}

func deviceType(t C.enum_ggml_backend_dev_type) DeviceType {
	switch t {
	case C.GGML_BACKEND_DEVICE_TYPE_CPU:
		return DeviceCPU
	case C.GGML_BACKEND_DEVICE_TYPE_GPU:
		return DeviceGPU
	case C.GGML_BACKEND_DEVICE_TYPE_IGPU:
		return DeviceIGPU
	case C.GGML_BACKEND_DEVICE_TYPE_ACCEL:
		return DeviceAccel
	}
	return DeviceOther
}

// features reads the list that a backend may offer (ggml_backend_get_features).
func features(dev C.ggml_backend_dev_t) []Feature {
	var list []Feature
	for i := 0; ; i++ {
		var value *C.char
		name := C.amend_device_feature(dev, C.int(i), &value)
		if name == nil {
			return list
		}
		list = append(list, Feature{C.GoString(name), C.GoString(value)})
	}
}
