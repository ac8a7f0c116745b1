"""Who acts and for what: people, organisations, staff, applications, agencies and their service items."""
