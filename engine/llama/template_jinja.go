package llama

/*
#include <stdlib.h>
#include "amend_jinja.h"
*/
import "C"

import "unsafe"

// jinjaTemplate is a template parsed by amend_jinja_parse. It lives as long as the worker process, which never frees
// it, and is used by one goroutine.
type jinjaTemplate struct {
	c *C.amend_jinja_template
}

// parseJinja calls amend_jinja_parse. The template is nil when the reply is a failure.
func parseJinja(source string) (*jinjaTemplate, templateReply) {
	text := C.CString(source)
	defer C.free(unsafe.Pointer(text))
	var tmpl *C.amend_jinja_template
	var message *C.char
	status := C.amend_jinja_parse(text, C.size_t(len(source)), &tmpl, &message)
	if status != C.AMEND_JINJA_OK {
		return nil, jinjaFailure(status, message)
	}
	return &jinjaTemplate{c: tmpl}, templateReply{}
}

// render calls amend_jinja_render and copies the result.
func (t *jinjaTemplate) render(document []byte, now int64) templateReply {
	doc := C.CBytes(document)
	defer C.free(doc)
	var out *C.char
	var n C.size_t
	var message *C.char
	status := C.amend_jinja_render(t.c, (*C.char)(doc), C.size_t(len(document)), C.int64_t(now), &out, &n, &message)
	if status != C.AMEND_JINJA_OK {
		return jinjaFailure(status, message)
	}
	defer C.amend_jinja_string_free(out)
	return templateReply{Text: string(unsafe.Slice((*byte)(unsafe.Pointer(out)), n))}
}

// jinjaFailure takes message over and frees it.
func jinjaFailure(status C.enum_amend_jinja_status, message *C.char) templateReply {
	reply := templateReply{Failure: failedRender}
	if message != nil {
		reply.Message = C.GoString(message)
		C.amend_jinja_string_free(message)
	}
	switch status {
	case C.AMEND_JINJA_SYNTAX:
		reply.Failure = failedSyntax
	case C.AMEND_JINJA_DOCUMENT:
		reply.Failure = failedDocument
	case C.AMEND_JINJA_MEMORY:
		reply.Failure = failedMemory
	}
	return reply
}
