"""Stable codes of everything fleetctl can complain about.

A code is a slug ``area/what``. It never changes its meaning, each has a page under docs/reference/errors and a test
case that provokes it, and ``fleetctl explain CODE`` prints the page offline.
"""

from __future__ import annotations

import enum

__all__ = ["Code"]


class Code(enum.StrEnum):
    """One member per code; the value is what people see, grep for and link to."""

    YAML_ALIAS_LIMIT = "yaml/alias-limit"
    YAML_AMBIGUOUS_SCALAR = "yaml/ambiguous-scalar"
    YAML_DUPLICATE_KEY = "yaml/duplicate-key"
    YAML_ENCODING = "yaml/encoding"
    YAML_KEY_NOT_TEXT = "yaml/key-not-text"
    YAML_MERGE_KEY = "yaml/merge-key"
    YAML_SYNTAX = "yaml/syntax"
    YAML_TOO_DEEP = "yaml/too-deep"
    YAML_TOO_LARGE = "yaml/too-large"
    YAML_UNKNOWN_TAG = "yaml/unknown-tag"

    PROJECT_BAD_VALUE = "project/bad-value"
    PROJECT_MISSING_FOLDER = "project/missing-folder"
    PROJECT_MISSING_KEY = "project/missing-key"
    PROJECT_NOT_FOUND = "project/not-found"
    PROJECT_UNKNOWN_KEY = "project/unknown-key"
    PROJECT_UNREADABLE = "project/unreadable"
    PROJECT_WRONG_TYPE = "project/wrong-type"

    INVENTORY_APPEND_CONFLICT = "inventory/append-conflict"
    INVENTORY_APPEND_TO_NON_LIST = "inventory/append-to-non-list"
    INVENTORY_BAD_VALUE = "inventory/bad-value"
    INVENTORY_DUPLICATE_DEFAULTS = "inventory/duplicate-defaults"
    INVENTORY_DUPLICATE_GROUP = "inventory/duplicate-group"
    INVENTORY_DUPLICATE_NODE = "inventory/duplicate-node"
    INVENTORY_DUPLICATE_SITE = "inventory/duplicate-site"
    INVENTORY_GROUP_CONFLICT = "inventory/group-conflict"
    INVENTORY_GROUP_SELECTS_RESERVED = "inventory/group-selects-reserved"
    INVENTORY_MISSING_KEY = "inventory/missing-key"
    INVENTORY_REFERENCE_CYCLE = "inventory/reference-cycle"
    INVENTORY_REFERENCE_MALFORMED = "inventory/reference-malformed"
    INVENTORY_REFERENCE_MISSING = "inventory/reference-missing"
    INVENTORY_RESERVED_LABEL = "inventory/reserved-label"
    INVENTORY_UNKNOWN_BUNDLE = "inventory/unknown-bundle"
    INVENTORY_UNKNOWN_KEY = "inventory/unknown-key"
    INVENTORY_UNKNOWN_KIND = "inventory/unknown-kind"
    INVENTORY_VARS_SCHEMA = "inventory/vars-schema"
    INVENTORY_WRONG_TYPE = "inventory/wrong-type"

    SETTINGS_BAD_VALUE = "settings/bad-value"
    SETTINGS_MISSING_KEY = "settings/missing-key"
    SETTINGS_NEVER_A_DEFAULT = "settings/never-a-default"
    SETTINGS_UNKNOWN_KEY = "settings/unknown-key"
    SETTINGS_WRONG_TYPE = "settings/wrong-type"

    SELECTION_BAD_SAMPLE = "selection/bad-sample"
    SELECTION_BAD_SELECTOR = "selection/bad-selector"
    SELECTION_EMPTY = "selection/empty"
    SELECTION_UNKNOWN_GROUP = "selection/unknown-group"
    SELECTION_UNKNOWN_SITE = "selection/unknown-site"
    SELECTION_UNREADABLE_FILE = "selection/unreadable-file"

    BUNDLE_BAD_VALUE = "bundle/bad-value"
    BUNDLE_MISSING_KEY = "bundle/missing-key"
    BUNDLE_EXISTS = "bundle/exists"
    BUNDLE_NAME_MISMATCH = "bundle/name-mismatch"
    BUNDLE_NO_EXAMPLES = "bundle/no-examples"
    BUNDLE_NOT_FOUND = "bundle/not-found"
    BUNDLE_OUTSIDE_PROJECT = "bundle/outside-project"
    BUNDLE_REQUIRES = "bundle/requires"
    BUNDLE_SCHEMA_INVALID = "bundle/schema-invalid"
    BUNDLE_UNKNOWN_KEY = "bundle/unknown-key"
    BUNDLE_UNWRITABLE = "bundle/unwritable"
    BUNDLE_VALUES_SCHEMA = "bundle/values-schema"
    BUNDLE_VERSION_MISMATCH = "bundle/version-mismatch"
    BUNDLE_VERSION_REUSED = "bundle/version-reused"
    BUNDLE_WRONG_TYPE = "bundle/wrong-type"

    TEMPLATE_FAILED = "template/failed"
    TEMPLATE_FORBIDDEN = "template/forbidden"
    TEMPLATE_SYNTAX = "template/syntax"
    TEMPLATE_UNDEFINED = "template/undefined"
    TEMPLATE_UNPRINTABLE = "template/unprintable"

    OBJECT_BAD_NAME = "object/bad-name"
    OBJECT_BAD_VALUE = "object/bad-value"
    OBJECT_CLASH = "object/clash"
    OBJECT_DUPLICATE_LIST_KEY = "object/duplicate-list-key"
    OBJECT_KIND_LIST = "object/kind-list"
    OBJECT_LITERAL_SECRET = "object/literal-secret"
    OBJECT_MISSING_FIELD = "object/missing-field"
    OBJECT_NO_IDENTITY = "object/no-identity"
    OBJECT_NULL = "object/null"
    OBJECT_SERVER_FIELD = "object/server-field"
    OBJECT_TOO_LARGE = "object/too-large"
    OBJECT_UNKNOWN_FIELD = "object/unknown-field"
    OBJECT_UNKNOWN_KIND = "object/unknown-kind"
    OBJECT_WRONG_TYPE = "object/wrong-type"

    RENDER_FOREIGN_FOLDER = "render/foreign-folder"
    RENDER_NOT_ASSIGNED = "render/not-assigned"
    RENDER_UNWRITABLE = "render/unwritable"

    CLUSTER_NO_ACCESS = "cluster/no-access"

    DEMO_FLEET = "demo/fleet"
    DEMO_FOLDER = "demo/folder"

    KUBE_BAD_KUBECONFIG = "kube/bad-kubeconfig"
    KUBE_NO_CONTEXT = "kube/no-context"
    KUBE_NO_KUBECONFIG = "kube/no-kubeconfig"
    KUBE_UNSUPPORTED_AUTH = "kube/unsupported-auth"

    GIT_DIRTY_TREE = "git/dirty-tree"
    GIT_FAILED = "git/failed"
    GIT_LEAVES_TREE = "git/leaves-tree"
    GIT_NO_REPOSITORY = "git/no-repository"
    GIT_SUBMODULE = "git/submodule"
    GIT_UNKNOWN_REVISION = "git/unknown-revision"

    HELM_FAILED = "helm/failed"
    HELM_HOOK = "helm/hook"
    HELM_MISSING = "helm/missing"
    KUSTOMIZE_FAILED = "kustomize/failed"
    KUSTOMIZE_MISSING = "kustomize/missing"
    KUSTOMIZE_REMOTE = "kustomize/remote"

    PLAN_MOVED = "plan/moved"
    PLAN_PRUNES_TOO_MUCH = "plan/prunes-too-much"
    PLAN_UNREADABLE = "plan/unreadable"
    PLAN_UNWRITABLE = "plan/unwritable"
    STRATEGY_BAD_VALUE = "strategy/bad-value"
    STRATEGY_MISSING_KEY = "strategy/missing-key"
    STRATEGY_UNKNOWN_KEY = "strategy/unknown-key"
    STRATEGY_WRONG_TYPE = "strategy/wrong-type"

    RUN_NEEDS_CONFIRMATION = "run/needs-confirmation"
    RUN_OVERLAPS = "run/overlaps"
    RUN_STATE = "run/state"
    RUN_UNKNOWN = "run/unknown"

    STATE_BUSY = "state/busy"
    STATE_DAMAGED = "state/damaged"
    STATE_NETWORK_FILESYSTEM = "state/network-filesystem"
    STATE_NEWER = "state/newer"
    STATE_UNWRITABLE = "state/unwritable"

    USAGE = "usage/wrong"
    OUTPUT_UNWRITABLE = "output/unwritable"
    USAGE_UNKNOWN_CODE = "usage/unknown-code"
    INTERNAL = "internal/bug"
