// Marline from Go through cgo:  PKG_CONFIG_PATH=… go run smoke.go
package main

/*
#cgo pkg-config: marline
#include <stdlib.h>
#include <marline.h>
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"
)

const now = 1800000000

func check(status C.marline_status) error {
	if status == C.MARLINE_OK {
		return nil
	}
	return errors.New(C.GoString(C.marline_status_name(status)))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func assert(truth bool, what string) {
	if !truth {
		panic(what)
	}
}

func ptr(b []byte) (*C.uint8_t, C.size_t) {
	if len(b) == 0 {
		return nil, 0
	}
	return (*C.uint8_t)(unsafe.Pointer(&b[0])), C.size_t(len(b))
}

func take(buffer *C.marline_buffer) []byte {
	defer C.marline_buffer_free(buffer)
	return C.GoBytes(unsafe.Pointer(C.marline_buffer_data(buffer)), C.int(C.marline_buffer_len(buffer)))
}

func takeOpened(opened *C.marline_opened) (text, from []byte) {
	defer C.marline_opened_free(opened)
	text = C.GoBytes(unsafe.Pointer(C.marline_opened_plaintext(opened)), C.int(C.marline_opened_plaintext_len(opened)))
	from = C.GoBytes(unsafe.Pointer(C.marline_opened_subject(opened)), C.int(C.marline_opened_subject_len(opened)))
	return
}

func account(name string) (a *C.marline_account) {
	p, n := ptr([]byte(name))
	must(check(C.marline_account_generate(p, n, &a, nil)))
	return
}

func encrypt(s *C.marline_session, text, ad []byte) []byte {
	var out *C.marline_buffer
	p, n := ptr(text)
	a, an := ptr(ad)
	must(check(C.marline_session_encrypt(s, p, n, a, an, nil, &out, nil)))
	return take(out)
}

func decrypt(s *C.marline_session, message, ad []byte) ([]byte, error) {
	var out *C.marline_opened
	p, n := ptr(message)
	a, an := ptr(ad)
	if err := check(C.marline_session_decrypt(s, p, n, a, an, &out, nil)); err != nil {
		return nil, err
	}
	text, _ := takeOpened(out)
	return text, nil
}

func main() {
	alice, bob := account("alice"), account("bob")
	defer C.marline_account_free(alice)
	defer C.marline_account_free(bob)
	var publication *C.marline_publication
	must(check(C.marline_account_publish(bob, 2, now, &publication, nil)))
	defer C.marline_publication_free(publication)
	var buffer *C.marline_buffer
	must(check(C.marline_publication_bundle(publication, 0, &buffer, nil)))

	var toBob, toAlice, restored *C.marline_session
	var opened *C.marline_opened
	b, bn := ptr(take(buffer))
	h, hn := ptr([]byte("hello"))
	must(check(C.marline_account_initiate(alice, b, bn, h, hn, nil, 0, nil, now, &toBob, &buffer, nil)))
	defer C.marline_session_free(toBob)
	m, mn := ptr(take(buffer))
	must(check(C.marline_account_accept(bob, m, mn, nil, 0, now, &toAlice, &opened, nil)))
	defer C.marline_session_free(toAlice)
	text, from := takeOpened(opened)
	assert(string(text) == "hello" && string(from) == "alice", "first message")

	for i := 0; i < 80; i++ {
		sender, receiver := toAlice, toBob
		if i%2 == 1 {
			sender, receiver = toBob, toAlice
		}
		text := []byte(fmt.Sprintf("message %d", i))
		got, err := decrypt(receiver, encrypt(sender, text, []byte("ad")), []byte("ad"))
		must(err)
		assert(bytes.Equal(got, text), "conversation")
	}

	message := encrypt(toAlice, []byte("once"), nil)
	message[len(message)-1] ^= 1
	_, err := decrypt(toBob, message, nil)
	assert(err != nil && err.Error() == "MARLINE_ERR_AUTHENTICATION", "forgery")

	var generation C.uint64_t
	k, kn := ptr(bytes.Repeat([]byte{7}, 32))
	must(check(C.marline_session_export(toBob, k, kn, &buffer, &generation, nil)))
	s, sn := ptr(take(buffer))
	err = check(C.marline_session_import(k, kn, s, sn, generation+1, &restored, nil))
	assert(err != nil && err.Error() == "MARLINE_ERR_ROLLBACK", "rollback")
	must(check(C.marline_session_import(k, kn, s, sn, generation, &restored, nil)))
	defer C.marline_session_free(restored)
	got, err := decrypt(toAlice, encrypt(restored, []byte("back"), nil), nil)
	assert(err == nil && string(got) == "back", "restored")
	fmt.Println("go: ok")
}
