"""What the office does: from an approved case to an issued permit, and the web faces of it."""
