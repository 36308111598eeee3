import KithConsumers

KithConsumers.main()
