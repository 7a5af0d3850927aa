"""Host, Inventory, Scope, facts."""
