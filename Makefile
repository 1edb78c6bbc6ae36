# Steadfast: bare `make` lists the targets.
INVENTORY ?= inventory/local
ANSIBLE_ARGS ?=

export PATH := $(CURDIR)/.steadfast/venv/bin:$(PATH)
# Each task of Ansible's is a process of its own, which would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE
python := .steadfast/venv/bin/python
playbook = ansible-playbook --inventory $(INVENTORY) $(become) $(if $(STORE),--extra-vars tracker_store=$(STORE)) $(ANSIBLE_ARGS)
# sudo may ask for a password: then Ansible must ask for it, too.
# A word that is none would have them speak of the hosts.
control = $(if $(filter-out compose,$(TARGET)),$(error TARGET is '$(TARGET)': leave it out for the hosts, or set it to compose))$(if $(filter compose,$(TARGET)),STEADFAST_FACTS=$(CURDIR)/compose/rendered/facts) $(python) -m
inventory = --inventory $(if $(filter compose,$(TARGET)),inventory/local,$(INVENTORY))
become = $(shell [ "$$(id -u)" = 0 ] || ! grep -qs 'ansible_connection: local' $(INVENTORY)/hosts.yml || sudo -n true 2>/dev/null || echo --ask-become-pass)

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16
	@echo
	@echo 'INVENTORY=inventory/example chooses other hosts, STORE=memory another store, ANSIBLE_ARGS="--check --diff" a dry run;'
	@echo 'TARGET=compose has talk, show, forget and verify speak of what compose-up runs.'

.PHONY: deploy talk show forget migrate verify remove
deploy: .steadfast/control ## deploy the bot and its store
	@$(playbook) playbooks/deploy.yml

talk: .steadfast/control ## talk to the bot: SENDER=me [MESSAGE="Find me some good venues"]
	@$(control) control $(inventory) talk "$${SENDER:-me}" $(if $(MESSAGE),"$$MESSAGE")

show: .steadfast/control ## show a conversation straight from the store: SENDER=me; without it, list them
	@$(control) control $(inventory) $(if $(SENDER),show "$$SENDER",list)

forget: .steadfast/control ## remove every trace of one person from the store: SENDER=name
	@$(control) control $(inventory) forget "$${SENDER:?name the conversation: make forget SENDER=...}"

migrate: .steadfast/control ## copy every conversation to another store: FROM=redis TO=name; `compose` is what compose-up runs
	@$(if $(filter compose,$(TO)),,$(playbook) --extra-vars migrate_from=$(FROM) --extra-vars migrate_to=$(TO) playbooks/migrate.yml)
	@$(if $(filter --check -C,$(ANSIBLE_ARGS)),echo 'A dry run: nothing was copied.',$(python) -m control --inventory $(INVENTORY) migrate "$(FROM)" "$(TO)")

verify: .steadfast/control ## prove that conversations survive restarts [REBOOT=yes] [MESSAGES=file, for your own bot]
	@$(control) tests.persistence $(inventory) $(if $(filter yes,$(REBOOT)),--reboot) $(if $(MESSAGES),--messages "$$MESSAGES")

remove: .steadfast/control ## take away what deploy put there; conversations only with DATA=yes
	@$(playbook) --extra-vars '{"remove_data": $(if $(filter yes,$(DATA)),true,false)}' playbooks/remove.yml

.PHONY: compose-up compose-down compose-images
compose-up: become =
compose-up: .steadfast/control ## the same bot and store in containers, by Docker Compose [STORE=] [RASA=3, so many of it behind a balancer]
	@$(playbook) $(if $(RASA),--extra-vars compose_rasa_count=$(RASA)) playbooks/compose.yml

compose-down: ## stop the containers; conversations go only with DATA=yes
	@scripts/compose_down.sh $(if $(filter yes,$(DATA)),--volumes)

compose-images: .steadfast/test ## images for Compose where no registry can be reached, of the distribution's packages
	@$(python) -m tests.lab compose-images

.PHONY: test test-all test-fast lint faults bench bench-deploy bench-compose
test: .steadfast/test ## the tests, on throwaway machines (needs root or sudo; sets up Docker when missing) [MINUTES=, to begin none after]
	@scripts/test.sh $(if $(MINUTES),--minutes=$(MINUTES))

test-all: .steadfast/test ## the same, and each store on each of its systems, not on one of them only
	@scripts/test.sh --every-system

test-fast: .steadfast/test ## lint and unit tests: no Docker, a minute
	@scripts/lint.sh
	@$(python) -m pytest tests/unit

lint: .steadfast/test ## the linters only
	@scripts/lint.sh

faults: .steadfast/test ## break everything while users talk, and show what was kept [TARGET=] [STORE=] [CLASS=] [FAULT=] [ROUNDS=] [SEED=]
	@$(python) -m tests.matrix

bench: .steadfast/test ## what a turn costs as history grows, against Rasa's own stores: [STORE=redis]
	@$(python) -m tests.benchmark.stores $(STORE)

bench-deploy: .steadfast/test ## how long a deploy takes, against the manual recipe
	@$(python) -m tests.benchmark.deploy

bench-compose: .steadfast/test ## how long compose-up takes until a turn is acknowledged, against rasa run alone
	@$(python) -m tests.benchmark.compose

.PHONY: tools lock clean
tools: .steadfast/control ## only fetch the tools, into .steadfast/

lock: .steadfast/control ## write requirements/*.txt anew from requirements/*.in
	@scripts/lock.sh

clean: ## remove the tools and throwaway machines (deployments stay)
	@if [ -x $(python) ]; then $(python) -m tests.lab clean || true; fi
	rm -rf .steadfast

.steadfast/control: scripts/bootstrap.sh requirements/bootstrap.txt requirements/control.txt
	@scripts/bootstrap.sh control
	@touch $@

.steadfast/test: scripts/bootstrap.sh requirements/bootstrap.txt requirements/test.txt
	@scripts/bootstrap.sh test
	@touch $@ .steadfast/control
