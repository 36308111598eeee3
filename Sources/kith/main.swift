import KithCommands

KithCommands.main()
