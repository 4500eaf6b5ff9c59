# Two commands: `make demo` and `make test`. Everything else is CMake (see CMakePresets.json).
#   PRESET=dev|release|asan|tsan|verify   JOBS=n   VELUM_TORCH=OFF (leave the trainer out)
PRESET ?= release
JOBS ?= $(shell nproc)
VELUM_TORCH ?= AUTO
DEMO_THREADS ?= 0
BUILD := build/$(PRESET)
CCACHE := $(shell command -v ccache 2>/dev/null)
export VELUM_TORCH

.PHONY: demo test build configure setup setup-core install clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo     install what is missing, build, and run encrypted inference on built-in digit images"
	@echo "make test     install what is missing, build, and run the whole test suite"
	@echo "make build    the library, the commands and the tests, in $(BUILD)"
	@echo "make install  into PREFIX (default /usr/local)"
	@echo "make clean    remove the build folders"
	@echo
	@echo "variables: PRESET=$(PRESET) JOBS=$(JOBS) VELUM_TORCH=$(VELUM_TORCH)"

setup:
	@tools/setup.sh

setup-core:
	@tools/setup.sh core

configure:
	@cmake --preset $(PRESET) -DVELUM_TORCH=$(VELUM_TORCH) \
	  $(if $(CCACHE),-DCMAKE_CXX_COMPILER_LAUNCHER=$(CCACHE)) > /dev/null || \
	  cmake --preset $(PRESET) -DVELUM_TORCH=$(VELUM_TORCH)

build: configure
	@cmake --build $(BUILD) --parallel $(JOBS)

demo: setup-core configure
	@cmake --build $(BUILD) --parallel $(JOBS) --target velum velum-infer
	@$(BUILD)/bin/velum run models/digits.onnx --data digits --images 8192 --threads $(DEMO_THREADS)

test: setup build
	@tools/check_rooms.py
	@ctest --test-dir $(BUILD) --output-on-failure --parallel $(JOBS)

PREFIX ?= /usr/local
install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	@rm -rf build
